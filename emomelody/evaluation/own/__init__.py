"""What the models do with a given melody, measured on held-out ones: completed, and led to another."""
