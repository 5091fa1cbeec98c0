"""The icon of the application, drawn once as SVG, in the sizes each system wants."""
