"""value of details"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None


#: The tables whose records details are read for.
PARENT_TABLES = ('raw_contacts', 'raw_policies', 'raw_locations')


def upgrade() -> None:
    """Move forward. The next run values all parents anew; what is covered stays covered."""
    op.create_table('account_calls',
    sa.Column('account', sa.Text(), nullable=False),
    sa.Column('hour', sa.DateTime(timezone=True), nullable=False),
    sa.Column('calls', sa.BigInteger(), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('account', 'hour', name=op.f('pk_account_calls')),
    schema='etl'
    )
    op.create_table('child_samples',
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('resource', sa.Text(), nullable=False),
    sa.Column('parent', sa.Text(), nullable=False),
    sa.Column('parent_ids', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('counter_example', sa.Text(), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('tenant', 'resource', name=op.f('pk_child_samples')),
    schema='etl'
    )
    op.create_table('queue_refreshes',
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('resource', sa.Text(), nullable=False),
    sa.Column('refreshed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('full_on', sa.Date(), nullable=False),
    sa.PrimaryKeyConstraint('tenant', 'resource', name=op.f('pk_queue_refreshes')),
    schema='etl'
    )
    op.drop_index('ix_child_queue_due', table_name='child_queue', schema='etl')
    op.create_index('ix_child_queue_next', 'child_queue', ['tenant', 'priority', sa.literal_column('parent_version_at DESC'), 'parent_id', 'resource'], unique=False, schema='etl', postgresql_where=sa.text('changed'))
    op.create_index('ix_child_queue_refresh', 'child_queue', ['tenant', 'due_at'], unique=False, schema='etl', postgresql_where=sa.text('NOT changed'))
    # Active parents and others; the next run values each anew.
    op.execute('UPDATE etl.child_queue SET priority = CASE priority WHEN 0 THEN 2 ELSE 6 END')
    for table in PARENT_TABLES:
        op.create_index(f'ix_{table}_arrived', table, ['created_at'], unique=False, schema='raw', postgresql_using='brin')


def downgrade() -> None:
    """Move back."""
    for table in PARENT_TABLES:
        op.drop_index(f'ix_{table}_arrived', table_name=table, schema='raw', postgresql_using='brin')
    op.drop_index('ix_child_queue_refresh', table_name='child_queue', schema='etl', postgresql_where=sa.text('NOT changed'))
    op.drop_index('ix_child_queue_next', table_name='child_queue', schema='etl', postgresql_where=sa.text('changed'))
    op.create_index('ix_child_queue_due', 'child_queue', ['tenant', 'resource', 'due_at'], unique=False, schema='etl')
    # Before, 0 was an active parent and 1 any other.
    op.execute('UPDATE etl.child_queue SET priority = CASE WHEN priority <= 3 THEN 0 ELSE 1 END')
    op.drop_table('queue_refreshes', schema='etl')
    op.drop_table('child_samples', schema='etl')
    op.drop_table('account_calls', schema='etl')
