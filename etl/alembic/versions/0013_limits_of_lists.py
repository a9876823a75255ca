"""the page size and the length of date ranges that a list accepts; slices that were split"""

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Move forward."""
    op.create_table('list_limits',
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('resource', sa.Text(), nullable=False),
    sa.Column('page_size', sa.Integer(), nullable=True),
    sa.Column('requested_size', sa.Integer(), nullable=True),
    sa.Column('page_size_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('answered_days', sa.Integer(), nullable=True),
    sa.Column('failed_days', sa.Integer(), nullable=True),
    sa.Column('days_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('tenant', 'resource', name=op.f('pk_list_limits')),
    schema='etl'
    )
    op.add_column('slices', sa.Column('page_size', sa.Integer(), nullable=True), schema='etl')
    op.add_column('slices', sa.Column('split_from', sa.Integer(), nullable=True), schema='etl')


def downgrade() -> None:
    """Move back."""
    op.drop_column('slices', 'split_from', schema='etl')
    op.drop_column('slices', 'page_size', schema='etl')
    op.drop_table('list_limits', schema='etl')
