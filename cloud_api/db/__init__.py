"""The embedded or central database: tables, migrations, transactions."""
