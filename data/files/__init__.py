"""How files are read: from bytes in any encoding and format to rows of text."""
