"""The lists of the test weeks: what everybody open was promised, what came, and the gate over both."""
