"""The report, its charts, the model card and tables on a screen: pure functions of an evaluation."""
