"""What the workers of one service hold in common, for minutes and hours, never for ever."""
