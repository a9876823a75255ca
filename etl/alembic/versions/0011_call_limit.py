"""the call limit of an account"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Move forward."""
    op.create_table('call_limits',
    sa.Column('account', sa.Text(), nullable=False),
    sa.Column('state', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('account', name=op.f('pk_call_limits')),
    schema='etl'
    )
    op.drop_table('rate_buckets', schema='etl')
    op.add_column('tokens', sa.Column('opened_at', sa.DateTime(timezone=True), nullable=True), schema='etl')
    op.add_column('tokens', sa.Column('basic_header', sa.Boolean(), server_default=sa.text('false'), nullable=False), schema='etl')
    op.add_column('tokens', sa.Column('unclear', sa.Integer(), server_default=sa.text('0'), nullable=False), schema='etl')


def downgrade() -> None:
    """Move back."""
    op.drop_column('tokens', 'unclear', schema='etl')
    op.drop_column('tokens', 'basic_header', schema='etl')
    op.drop_column('tokens', 'opened_at', schema='etl')
    op.create_table('rate_buckets',
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('next_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('floor', sa.Float(), server_default=sa.text('0'), nullable=False),
    sa.Column('ceiling', sa.Float(), server_default=sa.text('0'), nullable=False),
    sa.Column('climb', sa.Float(), server_default=sa.text('0'), nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('taken', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('changes', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.PrimaryKeyConstraint('tenant', name=op.f('pk_rate_buckets')),
    schema='etl'
    )
    op.drop_table('call_limits', schema='etl')
