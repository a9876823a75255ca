"""token and pace of a tenant"""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Move forward."""
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
    op.create_table('tokens',
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('salt', sa.LargeBinary(), server_default=sa.text('uuid_send(gen_random_uuid())'), nullable=False),
    sa.Column('account', sa.LargeBinary(), nullable=True),
    sa.Column('number', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=True),
    sa.Column('renew_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('doubted_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('claimant', sa.Text(), nullable=True),
    sa.Column('claimed_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('refusal', sa.Text(), nullable=True),
    sa.Column('refused_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('refusals', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.PrimaryKeyConstraint('tenant', name=op.f('pk_tokens')),
    schema='etl'
    )


def downgrade() -> None:
    """Move back."""
    op.drop_table('tokens', schema='etl')
    op.drop_table('rate_buckets', schema='etl')
