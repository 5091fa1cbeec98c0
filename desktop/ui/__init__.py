"""The window. The only room with Qt; it draws presenter states and performs their effects."""

from desktop.ui.immortal_none import keep_none_alive

keep_none_alive()
