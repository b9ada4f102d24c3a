"""The database edge: SQLAlchemy Core, no ORM. The only importer of sqlalchemy and alembic."""
