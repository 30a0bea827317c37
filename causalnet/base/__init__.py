"""What any file may need: checks of arguments, array types, doors, text, the clock."""
