"""How much data is enough, on the user's own data: theory beside measured learning curves."""
