"""Who answers: the champion, its shadow, and those who stand in."""
