"""What all commands share on the terminal: options, output, progress, errors, signals."""
