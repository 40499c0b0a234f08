"""From rows to a model: trees, their calibration, grades, and the simpler scorers beside them."""
