"""What every error and warning says: a module per folder of the package, of `Message` constants.

Those of one code stand in one module, the first of them with the code's title and meaning. `catalogue` has all of them
by their codes; it is not loaded here, so that a command loads the messages of what it uses only.
"""
