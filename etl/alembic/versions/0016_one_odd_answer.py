"""one odd answer"""

import sqlalchemy as sa
from alembic import op

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None

#: What was read with one call per parent until now: the resource, and that of its parents.
READ_PER_PARENT = {
    'account_info': 'contacts', 'documents': 'contacts', 'acord_forms': 'contacts', 'policy_details': 'policies',
    'adjustments': 'policies', 'quotes': 'policies', 'coverages': 'policies', 'equipment': 'policies',
}


#: What is nested in a record, and the record around it.
NESTED = (
    ('fees', 'policies'), ('fees', 'quotes'), ('applications', 'policies'), ('renewals', 'policy_details'),
    ('commissions', 'adjustments'), ('terminations', 'adjustments'), ('employees', 'contacts'), ('carriers', 'contacts'),
)


def delete_what_is_nested_in_deleted_records() -> None:
    """Mark rows deleted whose own version is the newest, but the record around them is deleted."""
    for nested, around in NESTED:
        op.execute(f"""
            UPDATE public.{nested} AS stored SET deleted_at = around.deleted_at, updated_at = now()
            FROM public.{around} AS around
            JOIN raw.raw_{nested} AS part
                ON part.tenant = around.tenant AND part.set_key = '{around}:' || around.source_id
                   AND part.superseded_at IS NULL
            WHERE around.deleted_at IS NOT NULL AND stored.deleted_at IS NULL
              AND stored.tenant = part.tenant AND stored.source_id = part.source_id
        """)


def note_parents_with_records() -> None:
    """Note of which parents the API has given records: an answer without a list is then a failure."""
    for resource, parent in READ_PER_PARENT.items():
        op.execute(f"""
            UPDATE etl.child_queue AS queued SET has_answered = true
            WHERE queued.resource = '{resource}' AND EXISTS (
                SELECT FROM raw.raw_{resource} AS staged
                WHERE staged.tenant = queued.tenant AND staged.set_key = '{parent}:' || queued.parent_id
                  AND staged.superseded_at IS NULL
            )
        """)


def upgrade() -> None:
    """Move forward."""
    op.add_column('child_queue', sa.Column('outcome', sa.Text(), nullable=True), schema='etl')
    op.add_column('child_queue', sa.Column('has_answered', sa.Boolean(), server_default=sa.text('false'), nullable=False), schema='etl')
    op.create_check_constraint(op.f('ck_child_queue_outcome_known'), 'child_queue', "outcome IN ('answered', 'no_answer', 'not_found')", schema='etl')
    op.add_column('requests', sa.Column('no_answer', sa.Boolean(), server_default=sa.text('false'), nullable=False), schema='etl')
    op.add_column('offers', sa.Column('refused_since', sa.DateTime(timezone=True), nullable=True), schema='etl')
    op.add_column('batch_resources', sa.Column('stepped_back', sa.BigInteger(), server_default=sa.text('0'), nullable=False), schema='etl')
    op.add_column('leases', sa.Column('process', sa.Text(), nullable=True), schema='etl')
    note_parents_with_records()
    delete_what_is_nested_in_deleted_records()


def downgrade() -> None:
    """Move back."""
    op.drop_column('leases', 'process', schema='etl')
    op.drop_column('batch_resources', 'stepped_back', schema='etl')
    op.drop_column('offers', 'refused_since', schema='etl')
    op.drop_column('requests', 'no_answer', schema='etl')
    op.drop_constraint(op.f('ck_child_queue_outcome_known'), 'child_queue', schema='etl')
    op.drop_column('child_queue', 'has_answered', schema='etl')
    op.drop_column('child_queue', 'outcome', schema='etl')
