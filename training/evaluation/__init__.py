"""How good each scorer is, as one document that report, model card and notebooks read."""
