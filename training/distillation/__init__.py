"""Point rules distilled from a model: few, in whole points, for use where no model may be deployed."""
