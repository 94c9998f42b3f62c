"""What can be known without people: whether descriptions find images of their group, and of their feature."""
