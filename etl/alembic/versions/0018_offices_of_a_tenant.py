"""offices of a tenant"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Move forward."""
    op.add_column('tenants', sa.Column('offices', postgresql.JSONB(astext_type=sa.Text()), nullable=True), schema='etl')


def downgrade() -> None:
    """Move back."""
    op.drop_column('tenants', 'offices', schema='etl')
