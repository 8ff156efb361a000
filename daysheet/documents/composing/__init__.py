"""From what was read of the books to papers: every word and figure of every kind of document."""
