"""evidence of commits"""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Move forward."""
    op.create_table('commits',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('noted_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_commits')),
    schema='etl'
    )


def downgrade() -> None:
    """Move back."""
    op.drop_table('commits', schema='etl')
