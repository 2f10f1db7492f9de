"""`kubectl plugin-name`: the pods of a namespace."""
