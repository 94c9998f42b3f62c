"""What people are asked: trials drawn from groups, or from files of anybody, and their folder for a study."""
