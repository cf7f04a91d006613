"""Mathematics without physics: bracketed roots, Laplace's method."""
