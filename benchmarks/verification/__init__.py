"""What mined impostors bring to verification, which wrong names are found, what voices are confused by."""
