"""Gates that stop a model that saw the future."""
