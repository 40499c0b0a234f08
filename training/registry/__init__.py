"""Versions of models: registered in MLflow, promoted, rolled back, and who did it when."""
