"""Online: a loop that follows object storage, scores a sample of what lands there, and commits it exactly once."""
