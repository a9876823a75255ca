"""contents of known pages"""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Move forward."""
    op.drop_index("ix_requests_digest", table_name="requests", schema="etl")
    op.drop_column("requests", "settled", schema="etl")
    op.add_column("requests", sa.Column("contents", sa.LargeBinary(), nullable=True), schema="etl")
    op.create_index("ix_requests_digest", "requests", ["digest"], schema="etl", postgresql_where=sa.text("contents IS NOT NULL"))


def downgrade() -> None:
    """Move back."""
    op.drop_index("ix_requests_digest", table_name="requests", schema="etl")
    op.drop_column("requests", "contents", schema="etl")
    op.add_column("requests", sa.Column("settled", sa.Boolean(), server_default=sa.text("false"), nullable=False), schema="etl")
    op.create_index("ix_requests_digest", "requests", ["digest"], schema="etl", postgresql_where=sa.text("settled"))
