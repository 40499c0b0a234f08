"""Which scorer answers: the champion, what stands in for it, and the shadow beside it."""
