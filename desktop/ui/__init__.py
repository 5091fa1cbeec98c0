"""The window. The only room with Qt; it draws presenter states and performs their effects."""
