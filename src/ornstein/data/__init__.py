"""What people bring, and the sources that studies draw from."""
