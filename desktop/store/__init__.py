"""The encrypted clinic: SQLCipher engine, key slots, tables, repositories and migrations."""
