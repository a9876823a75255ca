"""first tables"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Move forward."""
    op.create_table('agencies',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=True),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('last_synced_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_placeholder', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=True),
    sa.Column('raw_id', sa.Uuid(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_agencies')),
    sa.UniqueConstraint('tenant', 'source_id', name=op.f('uq_agencies_tenant_source_id'))
    )
    op.create_table('carriers',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=False),
    sa.Column('parent_carrier_id', sa.Uuid(), nullable=True),
    sa.Column('name', sa.Text(), nullable=True),
    sa.Column('naic', sa.Text(), nullable=True),
    sa.Column('is_mga', sa.Boolean(), nullable=True),
    sa.Column('phone', sa.Text(), nullable=True),
    sa.Column('website', sa.Text(), nullable=True),
    sa.Column('active', sa.Boolean(), nullable=True),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('last_synced_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_placeholder', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=True),
    sa.Column('raw_id', sa.Uuid(), nullable=True),
    sa.ForeignKeyConstraint(['parent_carrier_id'], ['carriers.id'], name=op.f('fk_carriers_parent_carrier_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_carriers')),
    sa.UniqueConstraint('tenant', 'source_id', name=op.f('uq_carriers_tenant_source_id'))
    )
    op.create_index(op.f('ix_carriers_parent_carrier_id'), 'carriers', ['parent_carrier_id'], unique=False)
    op.create_table('audit',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('subject', sa.LargeBinary(), nullable=True),
    sa.Column('counts', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('done_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit')),
    schema='etl'
    )
    op.create_table('batches',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('window_start', sa.DateTime(timezone=True), nullable=False),
    sa.Column('window_end', sa.DateTime(timezone=True), nullable=False),
    sa.Column('status', sa.Text(), server_default='created', nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('error', sa.Text(), nullable=True),
    sa.Column('version', sa.Text(), nullable=False),
    sa.Column('rules', sa.Text(), nullable=False),
    sa.Column('command', sa.Text(), nullable=False),
    sa.Column('options', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.CheckConstraint("(status = 'completed') <= (finished_at IS NOT NULL)", name=op.f('ck_batches_completed_has_end')),
    sa.CheckConstraint("status IN ('created', 'extracting', 'extracted', 'transforming', 'transformed', 'loading', 'completed', 'failed')", name=op.f('ck_batches_status_known')),
    sa.CheckConstraint('window_start < window_end', name=op.f('ck_batches_window_forward')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_batches')),
    schema='etl'
    )
    op.create_index('ix_batches_started_at', 'batches', ['tenant', 'started_at'], unique=False, schema='etl')
    op.create_table('check_runs',
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('check_name', sa.Text(), nullable=False),
    sa.Column('ran_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('hits', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('milliseconds', sa.Float(), nullable=False),
    sa.PrimaryKeyConstraint('tenant', 'check_name', name=op.f('pk_check_runs')),
    schema='etl'
    )
    op.create_table('child_queue',
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('resource', sa.Text(), nullable=False),
    sa.Column('parent_id', sa.Text(), nullable=False),
    sa.Column('parent_raw_id', sa.Uuid(), nullable=False),
    sa.Column('priority', sa.Integer(), nullable=False),
    sa.Column('parent_version_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('covered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('changed', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.Column('failures', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.PrimaryKeyConstraint('tenant', 'resource', 'parent_id', name=op.f('pk_child_queue')),
    schema='etl'
    )
    op.create_index('ix_child_queue_due', 'child_queue', ['tenant', 'resource', 'due_at'], unique=False, schema='etl')
    op.create_table('finding_counts',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('batch_id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('resource', sa.Text(), nullable=False),
    sa.Column('rule', sa.Text(), nullable=False),
    sa.Column('found', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('left_out', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('counted_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_finding_counts')),
    schema='etl'
    )
    op.create_index('ix_finding_counts_batch', 'finding_counts', ['batch_id', 'resource', 'rule'], unique=False, schema='etl')
    op.create_table('findings',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('resource', sa.Text(), nullable=False),
    sa.Column('table_name', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=False),
    sa.Column('field', sa.Text(), nullable=False),
    sa.Column('rule', sa.Text(), nullable=False),
    sa.Column('severity', sa.Text(), nullable=False),
    sa.Column('message', sa.Text(), nullable=False),
    sa.Column('raw_value', sa.Text(), nullable=True),
    sa.Column('first_seen', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('last_seen', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('times_seen', sa.Integer(), server_default=sa.text('1'), nullable=False),
    sa.Column('state', sa.Text(), server_default='open', nullable=False),
    sa.Column('batch_id', sa.Uuid(), nullable=False),
    sa.Column('raw_id', sa.Uuid(), nullable=True),
    sa.CheckConstraint("severity IN ('refused', 'dropped', 'repaired', 'noted')", name=op.f('ck_findings_severity_known')),
    sa.CheckConstraint("state IN ('open', 'fixed', 'closed')", name=op.f('ck_findings_state_known')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_findings')),
    sa.UniqueConstraint('tenant', 'resource', 'source_id', 'table_name', 'field', 'rule', name=op.f('uq_findings_tenant_resource_source_id_table_name_field_rule')),
    schema='etl'
    )
    op.create_table('leases',
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('resource', sa.Text(), nullable=False),
    sa.Column('holder', sa.Text(), nullable=False),
    sa.Column('token', sa.BigInteger(), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('tenant', 'resource', name=op.f('pk_leases')),
    schema='etl'
    )
    op.create_table('offers',
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('resource', sa.Text(), nullable=False),
    sa.Column('offered', sa.Boolean(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('asked_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('tenant', 'resource', name=op.f('pk_offers')),
    schema='etl'
    )
    op.create_table('requests',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('batch_id', sa.Uuid(), nullable=False),
    sa.Column('resource', sa.Text(), nullable=False),
    sa.Column('slice', sa.Integer(), nullable=True),
    sa.Column('reading', sa.Integer(), nullable=True),
    sa.Column('page', sa.Integer(), nullable=True),
    sa.Column('path', sa.Text(), nullable=False),
    sa.Column('parameters', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('status', sa.Integer(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('milliseconds', sa.Float(), nullable=False),
    sa.Column('bytes', sa.BigInteger(), nullable=False),
    sa.Column('items', sa.Integer(), nullable=False),
    sa.Column('records', sa.Integer(), nullable=False),
    sa.Column('total', sa.BigInteger(), nullable=True),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('ids', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('requested_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_requests')),
    schema='etl'
    )
    op.create_index('ix_requests_batch', 'requests', ['batch_id', 'resource', 'slice', 'page'], unique=False, schema='etl')
    op.create_index('ix_requests_requested_at', 'requests', ['requested_at'], unique=False, schema='etl')
    op.create_table('slices',
    sa.Column('batch_id', sa.Uuid(), nullable=False),
    sa.Column('resource', sa.Text(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('endpoint', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('first_day', sa.Date(), nullable=True),
    sa.Column('last_day', sa.Date(), nullable=True),
    sa.Column('status', sa.Text(), server_default='pending', nullable=False),
    sa.Column('reading', sa.Integer(), server_default=sa.text('1'), nullable=False),
    sa.Column('total', sa.BigInteger(), nullable=True),
    sa.CheckConstraint("status IN ('pending', 'done')", name=op.f('ck_slices_status_known')),
    sa.PrimaryKeyConstraint('batch_id', 'resource', 'number', name=op.f('pk_slices')),
    schema='etl'
    )
    op.create_table('suppressions',
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('table_name', sa.Text(), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('suppressed_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('tenant', 'table_name', 'digest', name=op.f('pk_suppressions')),
    schema='etl'
    )
    op.create_table('sync_history',
    sa.Column('batch_id', sa.Uuid(), nullable=False),
    sa.Column('table_name', sa.Text(), nullable=False),
    sa.Column('inserted', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('updated', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('unchanged', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('deleted', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('revived', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('seconds', sa.Float(), server_default=sa.text('0'), nullable=False),
    sa.Column('synced_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('batch_id', 'table_name', name=op.f('pk_sync_history')),
    schema='etl'
    )
    op.create_table('tenants',
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('fingerprint', sa.Text(), nullable=False),
    sa.Column('hash_key', sa.LargeBinary(), server_default=sa.text('uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())'), nullable=False),
    sa.Column('registered_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('tenant', name=op.f('pk_tenants')),
    schema='etl'
    )
    op.create_table('watermarks',
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('resource', sa.Text(), nullable=False),
    sa.Column('complete_from', sa.DateTime(timezone=True), nullable=False),
    sa.Column('complete_to', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint('complete_from < complete_to', name=op.f('ck_watermarks_interval_forward')),
    sa.PrimaryKeyConstraint('tenant', 'resource', 'complete_from', name=op.f('pk_watermarks')),
    schema='etl'
    )
    op.create_table('raw_account_info',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=True),
    sa.Column('raw_data', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=False),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('undated', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('set_key', sa.Text(), nullable=True),
    sa.Column('parent_raw_id', sa.Uuid(), nullable=True),
    sa.Column('page', sa.BigInteger(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=False),
    sa.Column('status', sa.Text(), server_default='pending', nullable=False),
    sa.Column('error_message', sa.Text(), nullable=True),
    sa.Column('retry_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('finding_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('rules', sa.Text(), nullable=True),
    sa.Column('loaded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('superseded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('gone_batch_id', sa.Uuid(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("loaded_at IS NULL OR status IN ('loaded', 'validation_error')", name=op.f('ck_raw_account_info_loaded_when_through')),
    sa.CheckConstraint("status IN ('pending', 'transformed', 'loaded', 'validation_error', 'error')", name=op.f('ck_raw_account_info_status_known')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_raw_account_info')),
    schema='raw'
    )
    op.create_index('ix_raw_account_info_gone', 'raw_account_info', ['gone_batch_id'], unique=False, schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.create_index('ix_raw_account_info_set', 'raw_account_info', ['tenant', 'set_key'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.create_index('ix_raw_account_info_superseded', 'raw_account_info', ['tenant', 'superseded_at'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_account_info_versions', 'raw_account_info', ['tenant', 'source_id'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_account_info_waiting', 'raw_account_info', ['etl_batch_id', 'status'], unique=False, schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.create_index('uq_raw_account_info_newest', 'raw_account_info', ['tenant', 'source_id'], unique=True, schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.create_table('raw_acord_forms',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=True),
    sa.Column('raw_data', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=False),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('undated', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('set_key', sa.Text(), nullable=True),
    sa.Column('parent_raw_id', sa.Uuid(), nullable=True),
    sa.Column('page', sa.BigInteger(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=False),
    sa.Column('status', sa.Text(), server_default='pending', nullable=False),
    sa.Column('error_message', sa.Text(), nullable=True),
    sa.Column('retry_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('finding_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('rules', sa.Text(), nullable=True),
    sa.Column('loaded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('superseded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('gone_batch_id', sa.Uuid(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("loaded_at IS NULL OR status IN ('loaded', 'validation_error')", name=op.f('ck_raw_acord_forms_loaded_when_through')),
    sa.CheckConstraint("status IN ('pending', 'transformed', 'loaded', 'validation_error', 'error')", name=op.f('ck_raw_acord_forms_status_known')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_raw_acord_forms')),
    schema='raw'
    )
    op.create_index('ix_raw_acord_forms_gone', 'raw_acord_forms', ['gone_batch_id'], unique=False, schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.create_index('ix_raw_acord_forms_set', 'raw_acord_forms', ['tenant', 'set_key'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.create_index('ix_raw_acord_forms_superseded', 'raw_acord_forms', ['tenant', 'superseded_at'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_acord_forms_versions', 'raw_acord_forms', ['tenant', 'source_id'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_acord_forms_waiting', 'raw_acord_forms', ['etl_batch_id', 'status'], unique=False, schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.create_index('uq_raw_acord_forms_newest', 'raw_acord_forms', ['tenant', 'source_id'], unique=True, schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.create_table('raw_agencies',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=True),
    sa.Column('raw_data', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=False),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('undated', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('set_key', sa.Text(), nullable=True),
    sa.Column('parent_raw_id', sa.Uuid(), nullable=True),
    sa.Column('page', sa.BigInteger(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=False),
    sa.Column('status', sa.Text(), server_default='pending', nullable=False),
    sa.Column('error_message', sa.Text(), nullable=True),
    sa.Column('retry_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('finding_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('rules', sa.Text(), nullable=True),
    sa.Column('loaded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('superseded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('gone_batch_id', sa.Uuid(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("loaded_at IS NULL OR status IN ('loaded', 'validation_error')", name=op.f('ck_raw_agencies_loaded_when_through')),
    sa.CheckConstraint("status IN ('pending', 'transformed', 'loaded', 'validation_error', 'error')", name=op.f('ck_raw_agencies_status_known')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_raw_agencies')),
    schema='raw'
    )
    op.create_index('ix_raw_agencies_gone', 'raw_agencies', ['gone_batch_id'], unique=False, schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.create_index('ix_raw_agencies_set', 'raw_agencies', ['tenant', 'set_key'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.create_index('ix_raw_agencies_superseded', 'raw_agencies', ['tenant', 'superseded_at'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_agencies_versions', 'raw_agencies', ['tenant', 'source_id'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_agencies_waiting', 'raw_agencies', ['etl_batch_id', 'status'], unique=False, schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.create_index('uq_raw_agencies_newest', 'raw_agencies', ['tenant', 'source_id'], unique=True, schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.create_table('raw_applications',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=True),
    sa.Column('raw_data', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=False),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('undated', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('set_key', sa.Text(), nullable=True),
    sa.Column('parent_raw_id', sa.Uuid(), nullable=True),
    sa.Column('page', sa.BigInteger(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=False),
    sa.Column('status', sa.Text(), server_default='pending', nullable=False),
    sa.Column('error_message', sa.Text(), nullable=True),
    sa.Column('retry_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('finding_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('rules', sa.Text(), nullable=True),
    sa.Column('loaded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('superseded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('gone_batch_id', sa.Uuid(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("loaded_at IS NULL OR status IN ('loaded', 'validation_error')", name=op.f('ck_raw_applications_loaded_when_through')),
    sa.CheckConstraint("status IN ('pending', 'transformed', 'loaded', 'validation_error', 'error')", name=op.f('ck_raw_applications_status_known')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_raw_applications')),
    schema='raw'
    )
    op.create_index('ix_raw_applications_gone', 'raw_applications', ['gone_batch_id'], unique=False, schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.create_index('ix_raw_applications_set', 'raw_applications', ['tenant', 'set_key'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.create_index('ix_raw_applications_superseded', 'raw_applications', ['tenant', 'superseded_at'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_applications_versions', 'raw_applications', ['tenant', 'source_id'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_applications_waiting', 'raw_applications', ['etl_batch_id', 'status'], unique=False, schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.create_index('uq_raw_applications_newest', 'raw_applications', ['tenant', 'source_id'], unique=True, schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.create_table('raw_billing_records',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=True),
    sa.Column('raw_data', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=False),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('undated', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('set_key', sa.Text(), nullable=True),
    sa.Column('parent_raw_id', sa.Uuid(), nullable=True),
    sa.Column('page', sa.BigInteger(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=False),
    sa.Column('status', sa.Text(), server_default='pending', nullable=False),
    sa.Column('error_message', sa.Text(), nullable=True),
    sa.Column('retry_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('finding_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('rules', sa.Text(), nullable=True),
    sa.Column('loaded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('superseded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('gone_batch_id', sa.Uuid(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("loaded_at IS NULL OR status IN ('loaded', 'validation_error')", name=op.f('ck_raw_billing_records_loaded_when_through')),
    sa.CheckConstraint("status IN ('pending', 'transformed', 'loaded', 'validation_error', 'error')", name=op.f('ck_raw_billing_records_status_known')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_raw_billing_records')),
    schema='raw'
    )
    op.create_index('ix_raw_billing_records_gone', 'raw_billing_records', ['gone_batch_id'], unique=False, schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.create_index('ix_raw_billing_records_set', 'raw_billing_records', ['tenant', 'set_key'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.create_index('ix_raw_billing_records_superseded', 'raw_billing_records', ['tenant', 'superseded_at'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_billing_records_versions', 'raw_billing_records', ['tenant', 'source_id'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_billing_records_waiting', 'raw_billing_records', ['etl_batch_id', 'status'], unique=False, schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.create_index('uq_raw_billing_records_newest', 'raw_billing_records', ['tenant', 'source_id'], unique=True, schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.create_table('raw_carriers',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=True),
    sa.Column('raw_data', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=False),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('undated', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('set_key', sa.Text(), nullable=True),
    sa.Column('parent_raw_id', sa.Uuid(), nullable=True),
    sa.Column('page', sa.BigInteger(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=False),
    sa.Column('status', sa.Text(), server_default='pending', nullable=False),
    sa.Column('error_message', sa.Text(), nullable=True),
    sa.Column('retry_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('finding_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('rules', sa.Text(), nullable=True),
    sa.Column('loaded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('superseded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('gone_batch_id', sa.Uuid(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("loaded_at IS NULL OR status IN ('loaded', 'validation_error')", name=op.f('ck_raw_carriers_loaded_when_through')),
    sa.CheckConstraint("status IN ('pending', 'transformed', 'loaded', 'validation_error', 'error')", name=op.f('ck_raw_carriers_status_known')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_raw_carriers')),
    schema='raw'
    )
    op.create_index('ix_raw_carriers_gone', 'raw_carriers', ['gone_batch_id'], unique=False, schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.create_index('ix_raw_carriers_set', 'raw_carriers', ['tenant', 'set_key'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.create_index('ix_raw_carriers_superseded', 'raw_carriers', ['tenant', 'superseded_at'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_carriers_versions', 'raw_carriers', ['tenant', 'source_id'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_carriers_waiting', 'raw_carriers', ['etl_batch_id', 'status'], unique=False, schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.create_index('uq_raw_carriers_newest', 'raw_carriers', ['tenant', 'source_id'], unique=True, schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.create_table('raw_claims',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=True),
    sa.Column('raw_data', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=False),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('undated', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('set_key', sa.Text(), nullable=True),
    sa.Column('parent_raw_id', sa.Uuid(), nullable=True),
    sa.Column('page', sa.BigInteger(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=False),
    sa.Column('status', sa.Text(), server_default='pending', nullable=False),
    sa.Column('error_message', sa.Text(), nullable=True),
    sa.Column('retry_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('finding_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('rules', sa.Text(), nullable=True),
    sa.Column('loaded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('superseded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('gone_batch_id', sa.Uuid(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("loaded_at IS NULL OR status IN ('loaded', 'validation_error')", name=op.f('ck_raw_claims_loaded_when_through')),
    sa.CheckConstraint("status IN ('pending', 'transformed', 'loaded', 'validation_error', 'error')", name=op.f('ck_raw_claims_status_known')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_raw_claims')),
    schema='raw'
    )
    op.create_index('ix_raw_claims_gone', 'raw_claims', ['gone_batch_id'], unique=False, schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.create_index('ix_raw_claims_set', 'raw_claims', ['tenant', 'set_key'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.create_index('ix_raw_claims_superseded', 'raw_claims', ['tenant', 'superseded_at'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_claims_versions', 'raw_claims', ['tenant', 'source_id'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_claims_waiting', 'raw_claims', ['etl_batch_id', 'status'], unique=False, schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.create_index('uq_raw_claims_newest', 'raw_claims', ['tenant', 'source_id'], unique=True, schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.create_table('raw_commission_rules',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=True),
    sa.Column('raw_data', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=False),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('undated', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('set_key', sa.Text(), nullable=True),
    sa.Column('parent_raw_id', sa.Uuid(), nullable=True),
    sa.Column('page', sa.BigInteger(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=False),
    sa.Column('status', sa.Text(), server_default='pending', nullable=False),
    sa.Column('error_message', sa.Text(), nullable=True),
    sa.Column('retry_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('finding_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('rules', sa.Text(), nullable=True),
    sa.Column('loaded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('superseded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('gone_batch_id', sa.Uuid(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("loaded_at IS NULL OR status IN ('loaded', 'validation_error')", name=op.f('ck_raw_commission_rules_loaded_when_through')),
    sa.CheckConstraint("status IN ('pending', 'transformed', 'loaded', 'validation_error', 'error')", name=op.f('ck_raw_commission_rules_status_known')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_raw_commission_rules')),
    schema='raw'
    )
    op.create_index('ix_raw_commission_rules_gone', 'raw_commission_rules', ['gone_batch_id'], unique=False, schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.create_index('ix_raw_commission_rules_set', 'raw_commission_rules', ['tenant', 'set_key'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.create_index('ix_raw_commission_rules_superseded', 'raw_commission_rules', ['tenant', 'superseded_at'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_commission_rules_versions', 'raw_commission_rules', ['tenant', 'source_id'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_commission_rules_waiting', 'raw_commission_rules', ['etl_batch_id', 'status'], unique=False, schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.create_index('uq_raw_commission_rules_newest', 'raw_commission_rules', ['tenant', 'source_id'], unique=True, schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.create_table('raw_commissions',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=True),
    sa.Column('raw_data', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=False),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('undated', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('set_key', sa.Text(), nullable=True),
    sa.Column('parent_raw_id', sa.Uuid(), nullable=True),
    sa.Column('page', sa.BigInteger(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=False),
    sa.Column('status', sa.Text(), server_default='pending', nullable=False),
    sa.Column('error_message', sa.Text(), nullable=True),
    sa.Column('retry_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('finding_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('rules', sa.Text(), nullable=True),
    sa.Column('loaded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('superseded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('gone_batch_id', sa.Uuid(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("loaded_at IS NULL OR status IN ('loaded', 'validation_error')", name=op.f('ck_raw_commissions_loaded_when_through')),
    sa.CheckConstraint("status IN ('pending', 'transformed', 'loaded', 'validation_error', 'error')", name=op.f('ck_raw_commissions_status_known')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_raw_commissions')),
    schema='raw'
    )
    op.create_index('ix_raw_commissions_gone', 'raw_commissions', ['gone_batch_id'], unique=False, schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.create_index('ix_raw_commissions_set', 'raw_commissions', ['tenant', 'set_key'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.create_index('ix_raw_commissions_superseded', 'raw_commissions', ['tenant', 'superseded_at'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_commissions_versions', 'raw_commissions', ['tenant', 'source_id'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_commissions_waiting', 'raw_commissions', ['etl_batch_id', 'status'], unique=False, schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.create_index('uq_raw_commissions_newest', 'raw_commissions', ['tenant', 'source_id'], unique=True, schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.create_table('raw_contacts',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=True),
    sa.Column('raw_data', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=False),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('undated', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('set_key', sa.Text(), nullable=True),
    sa.Column('parent_raw_id', sa.Uuid(), nullable=True),
    sa.Column('page', sa.BigInteger(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=False),
    sa.Column('status', sa.Text(), server_default='pending', nullable=False),
    sa.Column('error_message', sa.Text(), nullable=True),
    sa.Column('retry_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('finding_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('rules', sa.Text(), nullable=True),
    sa.Column('loaded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('superseded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('gone_batch_id', sa.Uuid(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("loaded_at IS NULL OR status IN ('loaded', 'validation_error')", name=op.f('ck_raw_contacts_loaded_when_through')),
    sa.CheckConstraint("status IN ('pending', 'transformed', 'loaded', 'validation_error', 'error')", name=op.f('ck_raw_contacts_status_known')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_raw_contacts')),
    schema='raw'
    )
    op.create_index('ix_raw_contacts_gone', 'raw_contacts', ['gone_batch_id'], unique=False, schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.create_index('ix_raw_contacts_set', 'raw_contacts', ['tenant', 'set_key'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.create_index('ix_raw_contacts_superseded', 'raw_contacts', ['tenant', 'superseded_at'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_contacts_versions', 'raw_contacts', ['tenant', 'source_id'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_contacts_waiting', 'raw_contacts', ['etl_batch_id', 'status'], unique=False, schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.create_index('uq_raw_contacts_newest', 'raw_contacts', ['tenant', 'source_id'], unique=True, schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.create_table('raw_coverages',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=True),
    sa.Column('raw_data', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=False),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('undated', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('set_key', sa.Text(), nullable=True),
    sa.Column('parent_raw_id', sa.Uuid(), nullable=True),
    sa.Column('page', sa.BigInteger(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=False),
    sa.Column('status', sa.Text(), server_default='pending', nullable=False),
    sa.Column('error_message', sa.Text(), nullable=True),
    sa.Column('retry_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('finding_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('rules', sa.Text(), nullable=True),
    sa.Column('loaded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('superseded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('gone_batch_id', sa.Uuid(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("loaded_at IS NULL OR status IN ('loaded', 'validation_error')", name=op.f('ck_raw_coverages_loaded_when_through')),
    sa.CheckConstraint("status IN ('pending', 'transformed', 'loaded', 'validation_error', 'error')", name=op.f('ck_raw_coverages_status_known')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_raw_coverages')),
    schema='raw'
    )
    op.create_index('ix_raw_coverages_gone', 'raw_coverages', ['gone_batch_id'], unique=False, schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.create_index('ix_raw_coverages_set', 'raw_coverages', ['tenant', 'set_key'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.create_index('ix_raw_coverages_superseded', 'raw_coverages', ['tenant', 'superseded_at'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_coverages_versions', 'raw_coverages', ['tenant', 'source_id'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_coverages_waiting', 'raw_coverages', ['etl_batch_id', 'status'], unique=False, schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.create_index('uq_raw_coverages_newest', 'raw_coverages', ['tenant', 'source_id'], unique=True, schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.create_table('raw_departments',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=True),
    sa.Column('raw_data', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=False),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('undated', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('set_key', sa.Text(), nullable=True),
    sa.Column('parent_raw_id', sa.Uuid(), nullable=True),
    sa.Column('page', sa.BigInteger(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=False),
    sa.Column('status', sa.Text(), server_default='pending', nullable=False),
    sa.Column('error_message', sa.Text(), nullable=True),
    sa.Column('retry_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('finding_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('rules', sa.Text(), nullable=True),
    sa.Column('loaded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('superseded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('gone_batch_id', sa.Uuid(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("loaded_at IS NULL OR status IN ('loaded', 'validation_error')", name=op.f('ck_raw_departments_loaded_when_through')),
    sa.CheckConstraint("status IN ('pending', 'transformed', 'loaded', 'validation_error', 'error')", name=op.f('ck_raw_departments_status_known')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_raw_departments')),
    schema='raw'
    )
    op.create_index('ix_raw_departments_gone', 'raw_departments', ['gone_batch_id'], unique=False, schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.create_index('ix_raw_departments_set', 'raw_departments', ['tenant', 'set_key'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.create_index('ix_raw_departments_superseded', 'raw_departments', ['tenant', 'superseded_at'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_departments_versions', 'raw_departments', ['tenant', 'source_id'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_departments_waiting', 'raw_departments', ['etl_batch_id', 'status'], unique=False, schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.create_index('uq_raw_departments_newest', 'raw_departments', ['tenant', 'source_id'], unique=True, schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.create_table('raw_documents',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=True),
    sa.Column('raw_data', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=False),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('undated', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('set_key', sa.Text(), nullable=True),
    sa.Column('parent_raw_id', sa.Uuid(), nullable=True),
    sa.Column('page', sa.BigInteger(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=False),
    sa.Column('status', sa.Text(), server_default='pending', nullable=False),
    sa.Column('error_message', sa.Text(), nullable=True),
    sa.Column('retry_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('finding_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('rules', sa.Text(), nullable=True),
    sa.Column('loaded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('superseded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('gone_batch_id', sa.Uuid(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("loaded_at IS NULL OR status IN ('loaded', 'validation_error')", name=op.f('ck_raw_documents_loaded_when_through')),
    sa.CheckConstraint("status IN ('pending', 'transformed', 'loaded', 'validation_error', 'error')", name=op.f('ck_raw_documents_status_known')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_raw_documents')),
    schema='raw'
    )
    op.create_index('ix_raw_documents_gone', 'raw_documents', ['gone_batch_id'], unique=False, schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.create_index('ix_raw_documents_set', 'raw_documents', ['tenant', 'set_key'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.create_index('ix_raw_documents_superseded', 'raw_documents', ['tenant', 'superseded_at'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_documents_versions', 'raw_documents', ['tenant', 'source_id'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_documents_waiting', 'raw_documents', ['etl_batch_id', 'status'], unique=False, schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.create_index('uq_raw_documents_newest', 'raw_documents', ['tenant', 'source_id'], unique=True, schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.create_table('raw_drivers',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=True),
    sa.Column('raw_data', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=False),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('undated', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('set_key', sa.Text(), nullable=True),
    sa.Column('parent_raw_id', sa.Uuid(), nullable=True),
    sa.Column('page', sa.BigInteger(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=False),
    sa.Column('status', sa.Text(), server_default='pending', nullable=False),
    sa.Column('error_message', sa.Text(), nullable=True),
    sa.Column('retry_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('finding_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('rules', sa.Text(), nullable=True),
    sa.Column('loaded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('superseded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('gone_batch_id', sa.Uuid(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("loaded_at IS NULL OR status IN ('loaded', 'validation_error')", name=op.f('ck_raw_drivers_loaded_when_through')),
    sa.CheckConstraint("status IN ('pending', 'transformed', 'loaded', 'validation_error', 'error')", name=op.f('ck_raw_drivers_status_known')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_raw_drivers')),
    schema='raw'
    )
    op.create_index('ix_raw_drivers_gone', 'raw_drivers', ['gone_batch_id'], unique=False, schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.create_index('ix_raw_drivers_set', 'raw_drivers', ['tenant', 'set_key'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.create_index('ix_raw_drivers_superseded', 'raw_drivers', ['tenant', 'superseded_at'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_drivers_versions', 'raw_drivers', ['tenant', 'source_id'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_drivers_waiting', 'raw_drivers', ['etl_batch_id', 'status'], unique=False, schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.create_index('uq_raw_drivers_newest', 'raw_drivers', ['tenant', 'source_id'], unique=True, schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.create_table('raw_employees',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=True),
    sa.Column('raw_data', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=False),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('undated', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('set_key', sa.Text(), nullable=True),
    sa.Column('parent_raw_id', sa.Uuid(), nullable=True),
    sa.Column('page', sa.BigInteger(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=False),
    sa.Column('status', sa.Text(), server_default='pending', nullable=False),
    sa.Column('error_message', sa.Text(), nullable=True),
    sa.Column('retry_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('finding_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('rules', sa.Text(), nullable=True),
    sa.Column('loaded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('superseded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('gone_batch_id', sa.Uuid(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("loaded_at IS NULL OR status IN ('loaded', 'validation_error')", name=op.f('ck_raw_employees_loaded_when_through')),
    sa.CheckConstraint("status IN ('pending', 'transformed', 'loaded', 'validation_error', 'error')", name=op.f('ck_raw_employees_status_known')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_raw_employees')),
    schema='raw'
    )
    op.create_index('ix_raw_employees_gone', 'raw_employees', ['gone_batch_id'], unique=False, schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.create_index('ix_raw_employees_set', 'raw_employees', ['tenant', 'set_key'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.create_index('ix_raw_employees_superseded', 'raw_employees', ['tenant', 'superseded_at'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_employees_versions', 'raw_employees', ['tenant', 'source_id'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_employees_waiting', 'raw_employees', ['etl_batch_id', 'status'], unique=False, schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.create_index('uq_raw_employees_newest', 'raw_employees', ['tenant', 'source_id'], unique=True, schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.create_table('raw_equipment',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=True),
    sa.Column('raw_data', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=False),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('undated', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('set_key', sa.Text(), nullable=True),
    sa.Column('parent_raw_id', sa.Uuid(), nullable=True),
    sa.Column('page', sa.BigInteger(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=False),
    sa.Column('status', sa.Text(), server_default='pending', nullable=False),
    sa.Column('error_message', sa.Text(), nullable=True),
    sa.Column('retry_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('finding_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('rules', sa.Text(), nullable=True),
    sa.Column('loaded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('superseded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('gone_batch_id', sa.Uuid(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("loaded_at IS NULL OR status IN ('loaded', 'validation_error')", name=op.f('ck_raw_equipment_loaded_when_through')),
    sa.CheckConstraint("status IN ('pending', 'transformed', 'loaded', 'validation_error', 'error')", name=op.f('ck_raw_equipment_status_known')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_raw_equipment')),
    schema='raw'
    )
    op.create_index('ix_raw_equipment_gone', 'raw_equipment', ['gone_batch_id'], unique=False, schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.create_index('ix_raw_equipment_set', 'raw_equipment', ['tenant', 'set_key'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.create_index('ix_raw_equipment_superseded', 'raw_equipment', ['tenant', 'superseded_at'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_equipment_versions', 'raw_equipment', ['tenant', 'source_id'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_equipment_waiting', 'raw_equipment', ['etl_batch_id', 'status'], unique=False, schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.create_index('uq_raw_equipment_newest', 'raw_equipment', ['tenant', 'source_id'], unique=True, schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.create_table('raw_fees',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=True),
    sa.Column('raw_data', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=False),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('undated', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('set_key', sa.Text(), nullable=True),
    sa.Column('parent_raw_id', sa.Uuid(), nullable=True),
    sa.Column('page', sa.BigInteger(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=False),
    sa.Column('status', sa.Text(), server_default='pending', nullable=False),
    sa.Column('error_message', sa.Text(), nullable=True),
    sa.Column('retry_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('finding_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('rules', sa.Text(), nullable=True),
    sa.Column('loaded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('superseded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('gone_batch_id', sa.Uuid(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("loaded_at IS NULL OR status IN ('loaded', 'validation_error')", name=op.f('ck_raw_fees_loaded_when_through')),
    sa.CheckConstraint("status IN ('pending', 'transformed', 'loaded', 'validation_error', 'error')", name=op.f('ck_raw_fees_status_known')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_raw_fees')),
    schema='raw'
    )
    op.create_index('ix_raw_fees_gone', 'raw_fees', ['gone_batch_id'], unique=False, schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.create_index('ix_raw_fees_set', 'raw_fees', ['tenant', 'set_key'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.create_index('ix_raw_fees_superseded', 'raw_fees', ['tenant', 'superseded_at'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_fees_versions', 'raw_fees', ['tenant', 'source_id'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_fees_waiting', 'raw_fees', ['etl_batch_id', 'status'], unique=False, schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.create_index('uq_raw_fees_newest', 'raw_fees', ['tenant', 'source_id'], unique=True, schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.create_table('raw_locations',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=True),
    sa.Column('raw_data', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=False),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('undated', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('set_key', sa.Text(), nullable=True),
    sa.Column('parent_raw_id', sa.Uuid(), nullable=True),
    sa.Column('page', sa.BigInteger(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=False),
    sa.Column('status', sa.Text(), server_default='pending', nullable=False),
    sa.Column('error_message', sa.Text(), nullable=True),
    sa.Column('retry_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('finding_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('rules', sa.Text(), nullable=True),
    sa.Column('loaded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('superseded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('gone_batch_id', sa.Uuid(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("loaded_at IS NULL OR status IN ('loaded', 'validation_error')", name=op.f('ck_raw_locations_loaded_when_through')),
    sa.CheckConstraint("status IN ('pending', 'transformed', 'loaded', 'validation_error', 'error')", name=op.f('ck_raw_locations_status_known')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_raw_locations')),
    schema='raw'
    )
    op.create_index('ix_raw_locations_gone', 'raw_locations', ['gone_batch_id'], unique=False, schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.create_index('ix_raw_locations_set', 'raw_locations', ['tenant', 'set_key'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.create_index('ix_raw_locations_superseded', 'raw_locations', ['tenant', 'superseded_at'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_locations_versions', 'raw_locations', ['tenant', 'source_id'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_locations_waiting', 'raw_locations', ['etl_batch_id', 'status'], unique=False, schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.create_index('uq_raw_locations_newest', 'raw_locations', ['tenant', 'source_id'], unique=True, schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.create_table('raw_policies',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=True),
    sa.Column('raw_data', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=False),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('undated', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('set_key', sa.Text(), nullable=True),
    sa.Column('parent_raw_id', sa.Uuid(), nullable=True),
    sa.Column('page', sa.BigInteger(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=False),
    sa.Column('status', sa.Text(), server_default='pending', nullable=False),
    sa.Column('error_message', sa.Text(), nullable=True),
    sa.Column('retry_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('finding_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('rules', sa.Text(), nullable=True),
    sa.Column('loaded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('superseded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('gone_batch_id', sa.Uuid(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("loaded_at IS NULL OR status IN ('loaded', 'validation_error')", name=op.f('ck_raw_policies_loaded_when_through')),
    sa.CheckConstraint("status IN ('pending', 'transformed', 'loaded', 'validation_error', 'error')", name=op.f('ck_raw_policies_status_known')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_raw_policies')),
    schema='raw'
    )
    op.create_index('ix_raw_policies_gone', 'raw_policies', ['gone_batch_id'], unique=False, schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.create_index('ix_raw_policies_set', 'raw_policies', ['tenant', 'set_key'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.create_index('ix_raw_policies_superseded', 'raw_policies', ['tenant', 'superseded_at'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_policies_versions', 'raw_policies', ['tenant', 'source_id'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_policies_waiting', 'raw_policies', ['etl_batch_id', 'status'], unique=False, schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.create_index('uq_raw_policies_newest', 'raw_policies', ['tenant', 'source_id'], unique=True, schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.create_table('raw_policy_details',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=True),
    sa.Column('raw_data', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=False),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('undated', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('set_key', sa.Text(), nullable=True),
    sa.Column('parent_raw_id', sa.Uuid(), nullable=True),
    sa.Column('page', sa.BigInteger(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=False),
    sa.Column('status', sa.Text(), server_default='pending', nullable=False),
    sa.Column('error_message', sa.Text(), nullable=True),
    sa.Column('retry_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('finding_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('rules', sa.Text(), nullable=True),
    sa.Column('loaded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('superseded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('gone_batch_id', sa.Uuid(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("loaded_at IS NULL OR status IN ('loaded', 'validation_error')", name=op.f('ck_raw_policy_details_loaded_when_through')),
    sa.CheckConstraint("status IN ('pending', 'transformed', 'loaded', 'validation_error', 'error')", name=op.f('ck_raw_policy_details_status_known')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_raw_policy_details')),
    schema='raw'
    )
    op.create_index('ix_raw_policy_details_gone', 'raw_policy_details', ['gone_batch_id'], unique=False, schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.create_index('ix_raw_policy_details_set', 'raw_policy_details', ['tenant', 'set_key'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.create_index('ix_raw_policy_details_superseded', 'raw_policy_details', ['tenant', 'superseded_at'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_policy_details_versions', 'raw_policy_details', ['tenant', 'source_id'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_policy_details_waiting', 'raw_policy_details', ['etl_batch_id', 'status'], unique=False, schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.create_index('uq_raw_policy_details_newest', 'raw_policy_details', ['tenant', 'source_id'], unique=True, schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.create_table('raw_quotes',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=True),
    sa.Column('raw_data', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=False),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('undated', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('set_key', sa.Text(), nullable=True),
    sa.Column('parent_raw_id', sa.Uuid(), nullable=True),
    sa.Column('page', sa.BigInteger(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=False),
    sa.Column('status', sa.Text(), server_default='pending', nullable=False),
    sa.Column('error_message', sa.Text(), nullable=True),
    sa.Column('retry_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('finding_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('rules', sa.Text(), nullable=True),
    sa.Column('loaded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('superseded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('gone_batch_id', sa.Uuid(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("loaded_at IS NULL OR status IN ('loaded', 'validation_error')", name=op.f('ck_raw_quotes_loaded_when_through')),
    sa.CheckConstraint("status IN ('pending', 'transformed', 'loaded', 'validation_error', 'error')", name=op.f('ck_raw_quotes_status_known')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_raw_quotes')),
    schema='raw'
    )
    op.create_index('ix_raw_quotes_gone', 'raw_quotes', ['gone_batch_id'], unique=False, schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.create_index('ix_raw_quotes_set', 'raw_quotes', ['tenant', 'set_key'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.create_index('ix_raw_quotes_superseded', 'raw_quotes', ['tenant', 'superseded_at'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_quotes_versions', 'raw_quotes', ['tenant', 'source_id'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_quotes_waiting', 'raw_quotes', ['etl_batch_id', 'status'], unique=False, schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.create_index('uq_raw_quotes_newest', 'raw_quotes', ['tenant', 'source_id'], unique=True, schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.create_table('raw_renewals',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=True),
    sa.Column('raw_data', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=False),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('undated', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('set_key', sa.Text(), nullable=True),
    sa.Column('parent_raw_id', sa.Uuid(), nullable=True),
    sa.Column('page', sa.BigInteger(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=False),
    sa.Column('status', sa.Text(), server_default='pending', nullable=False),
    sa.Column('error_message', sa.Text(), nullable=True),
    sa.Column('retry_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('finding_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('rules', sa.Text(), nullable=True),
    sa.Column('loaded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('superseded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('gone_batch_id', sa.Uuid(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("loaded_at IS NULL OR status IN ('loaded', 'validation_error')", name=op.f('ck_raw_renewals_loaded_when_through')),
    sa.CheckConstraint("status IN ('pending', 'transformed', 'loaded', 'validation_error', 'error')", name=op.f('ck_raw_renewals_status_known')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_raw_renewals')),
    schema='raw'
    )
    op.create_index('ix_raw_renewals_gone', 'raw_renewals', ['gone_batch_id'], unique=False, schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.create_index('ix_raw_renewals_set', 'raw_renewals', ['tenant', 'set_key'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.create_index('ix_raw_renewals_superseded', 'raw_renewals', ['tenant', 'superseded_at'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_renewals_versions', 'raw_renewals', ['tenant', 'source_id'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_renewals_waiting', 'raw_renewals', ['etl_batch_id', 'status'], unique=False, schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.create_index('uq_raw_renewals_newest', 'raw_renewals', ['tenant', 'source_id'], unique=True, schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.create_table('raw_terminations',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=True),
    sa.Column('raw_data', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=False),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('undated', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('set_key', sa.Text(), nullable=True),
    sa.Column('parent_raw_id', sa.Uuid(), nullable=True),
    sa.Column('page', sa.BigInteger(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=False),
    sa.Column('status', sa.Text(), server_default='pending', nullable=False),
    sa.Column('error_message', sa.Text(), nullable=True),
    sa.Column('retry_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('finding_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('rules', sa.Text(), nullable=True),
    sa.Column('loaded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('superseded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('gone_batch_id', sa.Uuid(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("loaded_at IS NULL OR status IN ('loaded', 'validation_error')", name=op.f('ck_raw_terminations_loaded_when_through')),
    sa.CheckConstraint("status IN ('pending', 'transformed', 'loaded', 'validation_error', 'error')", name=op.f('ck_raw_terminations_status_known')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_raw_terminations')),
    schema='raw'
    )
    op.create_index('ix_raw_terminations_gone', 'raw_terminations', ['gone_batch_id'], unique=False, schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.create_index('ix_raw_terminations_set', 'raw_terminations', ['tenant', 'set_key'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.create_index('ix_raw_terminations_superseded', 'raw_terminations', ['tenant', 'superseded_at'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_terminations_versions', 'raw_terminations', ['tenant', 'source_id'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_terminations_waiting', 'raw_terminations', ['etl_batch_id', 'status'], unique=False, schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.create_index('uq_raw_terminations_newest', 'raw_terminations', ['tenant', 'source_id'], unique=True, schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.create_table('raw_vehicles',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=True),
    sa.Column('raw_data', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=False),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('undated', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('set_key', sa.Text(), nullable=True),
    sa.Column('parent_raw_id', sa.Uuid(), nullable=True),
    sa.Column('page', sa.BigInteger(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=False),
    sa.Column('status', sa.Text(), server_default='pending', nullable=False),
    sa.Column('error_message', sa.Text(), nullable=True),
    sa.Column('retry_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('finding_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('rules', sa.Text(), nullable=True),
    sa.Column('loaded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('superseded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('gone_batch_id', sa.Uuid(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("loaded_at IS NULL OR status IN ('loaded', 'validation_error')", name=op.f('ck_raw_vehicles_loaded_when_through')),
    sa.CheckConstraint("status IN ('pending', 'transformed', 'loaded', 'validation_error', 'error')", name=op.f('ck_raw_vehicles_status_known')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_raw_vehicles')),
    schema='raw'
    )
    op.create_index('ix_raw_vehicles_gone', 'raw_vehicles', ['gone_batch_id'], unique=False, schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.create_index('ix_raw_vehicles_set', 'raw_vehicles', ['tenant', 'set_key'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.create_index('ix_raw_vehicles_superseded', 'raw_vehicles', ['tenant', 'superseded_at'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_vehicles_versions', 'raw_vehicles', ['tenant', 'source_id'], unique=False, schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.create_index('ix_raw_vehicles_waiting', 'raw_vehicles', ['etl_batch_id', 'status'], unique=False, schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.create_index('uq_raw_vehicles_newest', 'raw_vehicles', ['tenant', 'source_id'], unique=True, schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.create_table('batch_resources',
    sa.Column('batch_id', sa.Uuid(), nullable=False),
    sa.Column('resource', sa.Text(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('status', sa.Text(), server_default='pending', nullable=False),
    sa.Column('position', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('pages', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('api_total', sa.BigInteger(), nullable=True),
    sa.Column('fetched', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('inserted', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('updated', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('unchanged', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('outside_window', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('older', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('refused', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('duplicate', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('no_row', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('findings', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('window_start', sa.DateTime(timezone=True), nullable=True),
    sa.Column('window_end', sa.DateTime(timezone=True), nullable=True),
    sa.Column('error', sa.Text(), nullable=True),
    sa.CheckConstraint("status IN ('pending', 'running', 'done', 'failed', 'not_offered')", name=op.f('ck_batch_resources_status_known')),
    sa.ForeignKeyConstraint(['batch_id'], ['etl.batches.id'], name=op.f('fk_batch_resources_batch_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('batch_id', 'resource', name=op.f('pk_batch_resources')),
    schema='etl'
    )
    op.create_table('locations',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=False),
    sa.Column('agency_id', sa.Uuid(), nullable=True),
    sa.Column('name', sa.Text(), nullable=True),
    sa.Column('alias', sa.Text(), nullable=True),
    sa.Column('agency_name', sa.Text(), nullable=True),
    sa.Column('line1', sa.Text(), nullable=True),
    sa.Column('city', sa.Text(), nullable=True),
    sa.Column('state', sa.Text(), nullable=True),
    sa.Column('zip', sa.Text(), nullable=True),
    sa.Column('phone', sa.Text(), nullable=True),
    sa.Column('email', sa.Text(), nullable=True),
    sa.Column('active', sa.Boolean(), nullable=True),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('last_synced_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_placeholder', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=True),
    sa.Column('raw_id', sa.Uuid(), nullable=True),
    sa.ForeignKeyConstraint(['agency_id'], ['agencies.id'], name=op.f('fk_locations_agency_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_locations')),
    sa.UniqueConstraint('tenant', 'source_id', name=op.f('uq_locations_tenant_source_id'))
    )
    op.create_index(op.f('ix_locations_agency_id'), 'locations', ['agency_id'], unique=False)
    op.create_table('departments',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=False),
    sa.Column('location_id', sa.Uuid(), nullable=True),
    sa.Column('manager_id', sa.Uuid(), nullable=True),
    sa.Column('name', sa.Text(), nullable=True),
    sa.Column('active', sa.Boolean(), nullable=True),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('last_synced_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_placeholder', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=True),
    sa.Column('raw_id', sa.Uuid(), nullable=True),
    sa.ForeignKeyConstraint(['location_id'], ['locations.id'], name=op.f('fk_departments_location_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_departments')),
    sa.UniqueConstraint('tenant', 'source_id', name=op.f('uq_departments_tenant_source_id'))
    )
    op.create_index(op.f('ix_departments_location_id'), 'departments', ['location_id'], unique=False)
    op.create_index(op.f('ix_departments_manager_id'), 'departments', ['manager_id'], unique=False)
    op.create_table('employees',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=False),
    sa.Column('department_id', sa.Uuid(), nullable=True),
    sa.Column('status', sa.Text(), nullable=True),
    sa.Column('location_id', sa.Uuid(), nullable=True),
    sa.Column('agent_name', sa.Text(), nullable=True),
    sa.Column('display_name', sa.Text(), nullable=True),
    sa.Column('is_person', sa.Boolean(), nullable=True),
    sa.Column('first_name', sa.Text(), nullable=True),
    sa.Column('middle_name', sa.Text(), nullable=True),
    sa.Column('last_name', sa.Text(), nullable=True),
    sa.Column('business_name', sa.Text(), nullable=True),
    sa.Column('customer_number', sa.Text(), nullable=True),
    sa.Column('contact_type', sa.Text(), nullable=True),
    sa.Column('contact_type_display', sa.Text(), nullable=True),
    sa.Column('contact_sub_type', sa.Text(), nullable=True),
    sa.Column('contact_sub_type_display', sa.Text(), nullable=True),
    sa.Column('type_display', sa.Text(), nullable=True),
    sa.Column('status_display', sa.Text(), nullable=True),
    sa.Column('birth_date', sa.Date(), nullable=True),
    sa.Column('marital_status', sa.Text(), nullable=True),
    sa.Column('phone', sa.Text(), nullable=True),
    sa.Column('phone_type', sa.Text(), nullable=True),
    sa.Column('email', sa.Text(), nullable=True),
    sa.Column('primary_contact', sa.Text(), nullable=True),
    sa.Column('line1', sa.Text(), nullable=True),
    sa.Column('line2', sa.Text(), nullable=True),
    sa.Column('city', sa.Text(), nullable=True),
    sa.Column('state', sa.Text(), nullable=True),
    sa.Column('county', sa.Text(), nullable=True),
    sa.Column('zip', sa.Text(), nullable=True),
    sa.Column('country', sa.Text(), nullable=True),
    sa.Column('has_been_modified', sa.Boolean(), nullable=True),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('last_synced_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_placeholder', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=True),
    sa.Column('raw_id', sa.Uuid(), nullable=True),
    sa.ForeignKeyConstraint(['department_id'], ['departments.id'], name=op.f('fk_employees_department_id')),
    sa.ForeignKeyConstraint(['location_id'], ['locations.id'], name=op.f('fk_employees_location_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_employees')),
    sa.UniqueConstraint('tenant', 'source_id', name=op.f('uq_employees_tenant_source_id'))
    )
    op.create_index(op.f('ix_employees_customer_number'), 'employees', ['customer_number'], unique=False)
    op.create_index(op.f('ix_employees_department_id'), 'employees', ['department_id'], unique=False)
    op.create_index(op.f('ix_employees_email'), 'employees', ['email'], unique=False)
    op.create_index(op.f('ix_employees_location_id'), 'employees', ['location_id'], unique=False)
    op.create_index(op.f('ix_employees_phone'), 'employees', ['phone'], unique=False)
    op.create_table('commission_rules',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=True),
    sa.Column('location_id', sa.Uuid(), nullable=True),
    sa.Column('carrier_id', sa.Uuid(), nullable=True),
    sa.Column('mga_id', sa.Text(), nullable=True),
    sa.Column('lob_id', sa.Text(), nullable=True),
    sa.Column('term', sa.Integer(), nullable=True),
    sa.Column('business_type', sa.Text(), nullable=True),
    sa.Column('producer_id', sa.Uuid(), nullable=True),
    sa.Column('rate', sa.Numeric(precision=9, scale=4), nullable=True),
    sa.Column('is_percent', sa.Boolean(), nullable=True),
    sa.Column('effective_on', sa.Date(), nullable=True),
    sa.Column('expires_on', sa.Date(), nullable=True),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('last_synced_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_placeholder', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=True),
    sa.Column('raw_id', sa.Uuid(), nullable=True),
    sa.ForeignKeyConstraint(['carrier_id'], ['carriers.id'], name=op.f('fk_commission_rules_carrier_id')),
    sa.ForeignKeyConstraint(['location_id'], ['locations.id'], name=op.f('fk_commission_rules_location_id')),
    sa.ForeignKeyConstraint(['producer_id'], ['employees.id'], name=op.f('fk_commission_rules_producer_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_commission_rules')),
    sa.UniqueConstraint('tenant', 'source_id', name=op.f('uq_commission_rules_tenant_source_id'))
    )
    op.create_index(op.f('ix_commission_rules_carrier_id'), 'commission_rules', ['carrier_id'], unique=False)
    op.create_index(op.f('ix_commission_rules_location_id'), 'commission_rules', ['location_id'], unique=False)
    op.create_index(op.f('ix_commission_rules_producer_id'), 'commission_rules', ['producer_id'], unique=False)
    op.create_table('contacts',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=False),
    sa.Column('status', sa.Text(), nullable=True),
    sa.Column('location_id', sa.Uuid(), nullable=True),
    sa.Column('agent_name', sa.Text(), nullable=True),
    sa.Column('display_name', sa.Text(), nullable=True),
    sa.Column('is_person', sa.Boolean(), nullable=True),
    sa.Column('first_name', sa.Text(), nullable=True),
    sa.Column('middle_name', sa.Text(), nullable=True),
    sa.Column('last_name', sa.Text(), nullable=True),
    sa.Column('business_name', sa.Text(), nullable=True),
    sa.Column('customer_number', sa.Text(), nullable=True),
    sa.Column('contact_type', sa.Text(), nullable=True),
    sa.Column('contact_type_display', sa.Text(), nullable=True),
    sa.Column('contact_sub_type', sa.Text(), nullable=True),
    sa.Column('contact_sub_type_display', sa.Text(), nullable=True),
    sa.Column('type_display', sa.Text(), nullable=True),
    sa.Column('status_display', sa.Text(), nullable=True),
    sa.Column('birth_date', sa.Date(), nullable=True),
    sa.Column('marital_status', sa.Text(), nullable=True),
    sa.Column('phone', sa.Text(), nullable=True),
    sa.Column('phone_type', sa.Text(), nullable=True),
    sa.Column('email', sa.Text(), nullable=True),
    sa.Column('primary_contact', sa.Text(), nullable=True),
    sa.Column('line1', sa.Text(), nullable=True),
    sa.Column('line2', sa.Text(), nullable=True),
    sa.Column('city', sa.Text(), nullable=True),
    sa.Column('state', sa.Text(), nullable=True),
    sa.Column('county', sa.Text(), nullable=True),
    sa.Column('zip', sa.Text(), nullable=True),
    sa.Column('country', sa.Text(), nullable=True),
    sa.Column('has_been_modified', sa.Boolean(), nullable=True),
    sa.Column('lead_source', sa.Text(), nullable=True),
    sa.Column('lead_source_id', sa.Text(), nullable=True),
    sa.Column('source_detail', sa.Text(), nullable=True),
    sa.Column('customer_since', sa.Date(), nullable=True),
    sa.Column('customer_priority', sa.Text(), nullable=True),
    sa.Column('customer_priority_id', sa.Text(), nullable=True),
    sa.Column('agent_id', sa.Uuid(), nullable=True),
    sa.Column('csr_id', sa.Uuid(), nullable=True),
    sa.Column('account_agent', sa.Text(), nullable=True),
    sa.Column('account_csr', sa.Text(), nullable=True),
    sa.Column('account_name', sa.Text(), nullable=True),
    sa.Column('account_number', sa.Text(), nullable=True),
    sa.Column('account_type', sa.Text(), nullable=True),
    sa.Column('office_id', sa.Uuid(), nullable=True),
    sa.Column('opened_by_id', sa.Uuid(), nullable=True),
    sa.Column('opened_by', sa.Text(), nullable=True),
    sa.Column('portal_access', sa.Boolean(), nullable=True),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('last_synced_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_placeholder', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=True),
    sa.Column('raw_id', sa.Uuid(), nullable=True),
    sa.CheckConstraint('is_placeholder OR (status IS NOT NULL)', name=op.f('ck_contacts_required_present')),
    sa.ForeignKeyConstraint(['agent_id'], ['employees.id'], name=op.f('fk_contacts_agent_id')),
    sa.ForeignKeyConstraint(['csr_id'], ['employees.id'], name=op.f('fk_contacts_csr_id')),
    sa.ForeignKeyConstraint(['location_id'], ['locations.id'], name=op.f('fk_contacts_location_id')),
    sa.ForeignKeyConstraint(['office_id'], ['locations.id'], name=op.f('fk_contacts_office_id')),
    sa.ForeignKeyConstraint(['opened_by_id'], ['employees.id'], name=op.f('fk_contacts_opened_by_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_contacts')),
    sa.UniqueConstraint('tenant', 'source_id', name=op.f('uq_contacts_tenant_source_id'))
    )
    op.create_index(op.f('ix_contacts_agent_id'), 'contacts', ['agent_id'], unique=False)
    op.create_index(op.f('ix_contacts_csr_id'), 'contacts', ['csr_id'], unique=False)
    op.create_index(op.f('ix_contacts_customer_number'), 'contacts', ['customer_number'], unique=False)
    op.create_index(op.f('ix_contacts_email'), 'contacts', ['email'], unique=False)
    op.create_index(op.f('ix_contacts_location_id'), 'contacts', ['location_id'], unique=False)
    op.create_index(op.f('ix_contacts_office_id'), 'contacts', ['office_id'], unique=False)
    op.create_index(op.f('ix_contacts_opened_by_id'), 'contacts', ['opened_by_id'], unique=False)
    op.create_index(op.f('ix_contacts_phone'), 'contacts', ['phone'], unique=False)
    op.create_table('billing_records',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=False),
    sa.Column('contact_id', sa.Uuid(), nullable=True),
    sa.Column('location_id', sa.Uuid(), nullable=True),
    sa.Column('policy_ids', postgresql.ARRAY(sa.Text()), nullable=True),
    sa.Column('policy_number', sa.Text(), nullable=True),
    sa.Column('created_by_id', sa.Uuid(), nullable=True),
    sa.Column('billing_date', sa.Date(), nullable=True),
    sa.Column('transacted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('due_date', sa.Date(), nullable=True),
    sa.Column('payment_type', sa.Text(), nullable=True),
    sa.Column('is_payment', sa.Boolean(), nullable=True),
    sa.Column('is_credit', sa.Boolean(), nullable=True),
    sa.Column('is_voided', sa.Boolean(), nullable=True),
    sa.Column('dbcd', sa.Boolean(), nullable=True),
    sa.Column('amount', sa.Numeric(precision=15, scale=2), nullable=True),
    sa.Column('due', sa.Numeric(precision=15, scale=2), nullable=True),
    sa.Column('paid', sa.Numeric(precision=15, scale=2), nullable=True),
    sa.Column('description', sa.Text(), nullable=True),
    sa.Column('pdf_id', sa.Text(), nullable=True),
    sa.Column('sync_status', sa.Integer(), nullable=True),
    sa.Column('error_message', sa.Text(), nullable=True),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('last_synced_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_placeholder', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=True),
    sa.Column('raw_id', sa.Uuid(), nullable=True),
    sa.CheckConstraint('is_placeholder OR (contact_id IS NOT NULL)', name=op.f('ck_billing_records_required_present')),
    sa.ForeignKeyConstraint(['contact_id'], ['contacts.id'], name=op.f('fk_billing_records_contact_id')),
    sa.ForeignKeyConstraint(['created_by_id'], ['employees.id'], name=op.f('fk_billing_records_created_by_id')),
    sa.ForeignKeyConstraint(['location_id'], ['locations.id'], name=op.f('fk_billing_records_location_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_billing_records')),
    sa.UniqueConstraint('tenant', 'source_id', name=op.f('uq_billing_records_tenant_source_id'))
    )
    op.create_index(op.f('ix_billing_records_contact_id'), 'billing_records', ['contact_id'], unique=False)
    op.create_index(op.f('ix_billing_records_created_by_id'), 'billing_records', ['created_by_id'], unique=False)
    op.create_index(op.f('ix_billing_records_location_id'), 'billing_records', ['location_id'], unique=False)
    op.create_index('ix_billing_records_policy_ids', 'billing_records', ['policy_ids'], unique=False, postgresql_using='gin', postgresql_with={'fastupdate': 'off'})
    op.create_table('documents',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=False),
    sa.Column('contact_id', sa.Uuid(), nullable=True),
    sa.Column('title', sa.Text(), nullable=True),
    sa.Column('document_type', sa.Text(), nullable=True),
    sa.Column('added_by', sa.Text(), nullable=True),
    sa.Column('added_on', sa.DateTime(timezone=True), nullable=True),
    sa.Column('policy_numbers', postgresql.ARRAY(sa.Text()), nullable=True),
    sa.Column('selected', sa.Boolean(), nullable=True),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('last_synced_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_placeholder', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=True),
    sa.Column('raw_id', sa.Uuid(), nullable=True),
    sa.CheckConstraint('is_placeholder OR (contact_id IS NOT NULL)', name=op.f('ck_documents_required_present')),
    sa.ForeignKeyConstraint(['contact_id'], ['contacts.id'], name=op.f('fk_documents_contact_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_documents')),
    sa.UniqueConstraint('tenant', 'source_id', name=op.f('uq_documents_tenant_source_id'))
    )
    op.create_index(op.f('ix_documents_contact_id'), 'documents', ['contact_id'], unique=False)
    op.create_table('policies',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=False),
    sa.Column('contact_id', sa.Uuid(), nullable=True),
    sa.Column('carrier_id', sa.Uuid(), nullable=True),
    sa.Column('mga_id', sa.Text(), nullable=True),
    sa.Column('prior_policy_id', sa.Uuid(), nullable=True),
    sa.Column('policy_number', sa.Text(), nullable=True),
    sa.Column('status', sa.Text(), nullable=True),
    sa.Column('effective_date', sa.Date(), nullable=True),
    sa.Column('expiration_date', sa.Date(), nullable=True),
    sa.Column('term', sa.Text(), nullable=True),
    sa.Column('line_of_business', sa.Text(), nullable=True),
    sa.Column('lob_id', sa.Text(), nullable=True),
    sa.Column('lob_code', sa.Text(), nullable=True),
    sa.Column('acord_code', sa.Text(), nullable=True),
    sa.Column('lines_of_business', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('policy_type', sa.Text(), nullable=True),
    sa.Column('package_type', sa.Text(), nullable=True),
    sa.Column('total_premium', sa.Numeric(precision=15, scale=2), nullable=True),
    sa.Column('description', sa.Text(), nullable=True),
    sa.Column('customer_name', sa.Text(), nullable=True),
    sa.Column('agent_name', sa.Text(), nullable=True),
    sa.Column('writing_carrier', sa.Text(), nullable=True),
    sa.Column('mga', sa.Text(), nullable=True),
    sa.Column('producer_ids', postgresql.ARRAY(sa.Text()), nullable=True),
    sa.Column('agency_fees', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('is_deleted', sa.Boolean(), nullable=True),
    sa.Column('has_been_modified', sa.Boolean(), nullable=True),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('last_synced_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_placeholder', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=True),
    sa.Column('raw_id', sa.Uuid(), nullable=True),
    sa.CheckConstraint('is_placeholder OR (contact_id IS NOT NULL AND status IS NOT NULL)', name=op.f('ck_policies_required_present')),
    sa.ForeignKeyConstraint(['carrier_id'], ['carriers.id'], name=op.f('fk_policies_carrier_id')),
    sa.ForeignKeyConstraint(['contact_id'], ['contacts.id'], name=op.f('fk_policies_contact_id')),
    sa.ForeignKeyConstraint(['prior_policy_id'], ['policies.id'], name=op.f('fk_policies_prior_policy_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_policies')),
    sa.UniqueConstraint('tenant', 'source_id', name=op.f('uq_policies_tenant_source_id'))
    )
    op.create_index(op.f('ix_policies_carrier_id'), 'policies', ['carrier_id'], unique=False)
    op.create_index(op.f('ix_policies_contact_id'), 'policies', ['contact_id'], unique=False)
    op.create_index(op.f('ix_policies_expiration_date'), 'policies', ['expiration_date'], unique=False)
    op.create_index(op.f('ix_policies_policy_number'), 'policies', ['policy_number'], unique=False)
    op.create_index(op.f('ix_policies_prior_policy_id'), 'policies', ['prior_policy_id'], unique=False)
    op.create_table('acord_forms',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=False),
    sa.Column('contact_id', sa.Uuid(), nullable=True),
    sa.Column('policy_id', sa.Uuid(), nullable=True),
    sa.Column('api_form_id', sa.Text(), nullable=True),
    sa.Column('template_id', sa.Uuid(), nullable=True),
    sa.Column('endorsement_id', sa.Text(), nullable=True),
    sa.Column('form_number', sa.Text(), nullable=True),
    sa.Column('edition_date', sa.Text(), nullable=True),
    sa.Column('state', sa.Text(), nullable=True),
    sa.Column('description', sa.Text(), nullable=True),
    sa.Column('signed', sa.Boolean(), nullable=True),
    sa.Column('signature_id', sa.Text(), nullable=True),
    sa.Column('locked', sa.Boolean(), nullable=True),
    sa.Column('locked_on', sa.DateTime(timezone=True), nullable=True),
    sa.Column('locked_method', sa.Text(), nullable=True),
    sa.Column('created_on', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_by_id', sa.Uuid(), nullable=True),
    sa.Column('multiple_loss_payees', sa.Boolean(), nullable=True),
    sa.Column('loss_payees', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('form_data', sa.Text(), nullable=True),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('last_synced_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_placeholder', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=True),
    sa.Column('raw_id', sa.Uuid(), nullable=True),
    sa.ForeignKeyConstraint(['contact_id'], ['contacts.id'], name=op.f('fk_acord_forms_contact_id')),
    sa.ForeignKeyConstraint(['created_by_id'], ['employees.id'], name=op.f('fk_acord_forms_created_by_id')),
    sa.ForeignKeyConstraint(['policy_id'], ['policies.id'], name=op.f('fk_acord_forms_policy_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_acord_forms')),
    sa.UniqueConstraint('tenant', 'source_id', name=op.f('uq_acord_forms_tenant_source_id'))
    )
    op.create_index(op.f('ix_acord_forms_contact_id'), 'acord_forms', ['contact_id'], unique=False)
    op.create_index(op.f('ix_acord_forms_created_by_id'), 'acord_forms', ['created_by_id'], unique=False)
    op.create_index(op.f('ix_acord_forms_policy_id'), 'acord_forms', ['policy_id'], unique=False)
    op.create_table('billing_record_policies',
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('billing_record_id', sa.Uuid(), nullable=False),
    sa.Column('policy_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['billing_record_id'], ['billing_records.id'], name=op.f('fk_billing_record_policies_billing_record_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['policy_id'], ['policies.id'], name=op.f('fk_billing_record_policies_policy_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('billing_record_id', 'policy_id', name=op.f('pk_billing_record_policies'))
    )
    op.create_index('ix_billing_record_policies_policy_id', 'billing_record_policies', ['policy_id'], unique=False)
    op.create_table('claims',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=False),
    sa.Column('policy_id', sa.Uuid(), nullable=True),
    sa.Column('contact_id', sa.Uuid(), nullable=True),
    sa.Column('claim_number', sa.Text(), nullable=True),
    sa.Column('carrier_claim_number', sa.Text(), nullable=True),
    sa.Column('date_of_loss', sa.Date(), nullable=True),
    sa.Column('date_reported', sa.Date(), nullable=True),
    sa.Column('date_closed', sa.Date(), nullable=True),
    sa.Column('status', sa.Text(), nullable=True),
    sa.Column('loss_type', sa.Text(), nullable=True),
    sa.Column('description', sa.Text(), nullable=True),
    sa.Column('amount_reserved', sa.Numeric(precision=15, scale=2), nullable=True),
    sa.Column('amount_paid', sa.Numeric(precision=15, scale=2), nullable=True),
    sa.Column('adjuster_name', sa.Text(), nullable=True),
    sa.Column('adjuster_phone', sa.Text(), nullable=True),
    sa.Column('adjuster_email', sa.Text(), nullable=True),
    sa.Column('loss_line1', sa.Text(), nullable=True),
    sa.Column('loss_city', sa.Text(), nullable=True),
    sa.Column('loss_state', sa.Text(), nullable=True),
    sa.Column('loss_zip', sa.Text(), nullable=True),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('last_synced_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_placeholder', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=True),
    sa.Column('raw_id', sa.Uuid(), nullable=True),
    sa.CheckConstraint('is_placeholder OR (policy_id IS NOT NULL AND status IS NOT NULL)', name=op.f('ck_claims_required_present')),
    sa.ForeignKeyConstraint(['contact_id'], ['contacts.id'], name=op.f('fk_claims_contact_id')),
    sa.ForeignKeyConstraint(['policy_id'], ['policies.id'], name=op.f('fk_claims_policy_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_claims')),
    sa.UniqueConstraint('tenant', 'source_id', name=op.f('uq_claims_tenant_source_id'))
    )
    op.create_index(op.f('ix_claims_claim_number'), 'claims', ['claim_number'], unique=False)
    op.create_index(op.f('ix_claims_contact_id'), 'claims', ['contact_id'], unique=False)
    op.create_index(op.f('ix_claims_policy_id'), 'claims', ['policy_id'], unique=False)
    op.create_table('commissions',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=False),
    sa.Column('policy_id', sa.Uuid(), nullable=True),
    sa.Column('carrier_id', sa.Uuid(), nullable=True),
    sa.Column('producer_id', sa.Uuid(), nullable=True),
    sa.Column('rule_id', sa.Uuid(), nullable=True),
    sa.Column('transaction_type', sa.Text(), nullable=True),
    sa.Column('transaction_date', sa.Date(), nullable=True),
    sa.Column('statement_date', sa.Date(), nullable=True),
    sa.Column('premium', sa.Numeric(precision=15, scale=2), nullable=True),
    sa.Column('rate', sa.Numeric(precision=9, scale=4), nullable=True),
    sa.Column('amount', sa.Numeric(precision=15, scale=2), nullable=True),
    sa.Column('status', sa.Text(), nullable=True),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('last_synced_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_placeholder', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=True),
    sa.Column('raw_id', sa.Uuid(), nullable=True),
    sa.CheckConstraint('is_placeholder OR (policy_id IS NOT NULL AND status IS NOT NULL)', name=op.f('ck_commissions_required_present')),
    sa.ForeignKeyConstraint(['carrier_id'], ['carriers.id'], name=op.f('fk_commissions_carrier_id')),
    sa.ForeignKeyConstraint(['policy_id'], ['policies.id'], name=op.f('fk_commissions_policy_id')),
    sa.ForeignKeyConstraint(['producer_id'], ['employees.id'], name=op.f('fk_commissions_producer_id')),
    sa.ForeignKeyConstraint(['rule_id'], ['commission_rules.id'], name=op.f('fk_commissions_rule_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_commissions')),
    sa.UniqueConstraint('tenant', 'source_id', name=op.f('uq_commissions_tenant_source_id'))
    )
    op.create_index(op.f('ix_commissions_carrier_id'), 'commissions', ['carrier_id'], unique=False)
    op.create_index(op.f('ix_commissions_policy_id'), 'commissions', ['policy_id'], unique=False)
    op.create_index(op.f('ix_commissions_producer_id'), 'commissions', ['producer_id'], unique=False)
    op.create_index(op.f('ix_commissions_rule_id'), 'commissions', ['rule_id'], unique=False)
    op.create_table('document_policies',
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('document_id', sa.Uuid(), nullable=False),
    sa.Column('policy_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['document_id'], ['documents.id'], name=op.f('fk_document_policies_document_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['policy_id'], ['policies.id'], name=op.f('fk_document_policies_policy_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('document_id', 'policy_id', name=op.f('pk_document_policies'))
    )
    op.create_index('ix_document_policies_policy_id', 'document_policies', ['policy_id'], unique=False)
    op.create_table('drivers',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=False),
    sa.Column('policy_id', sa.Uuid(), nullable=True),
    sa.Column('policy_detail_source_id', sa.Text(), nullable=True),
    sa.Column('contact_id', sa.Uuid(), nullable=True),
    sa.Column('agency_id', sa.Uuid(), nullable=True),
    sa.Column('first_name', sa.Text(), nullable=True),
    sa.Column('middle_name', sa.Text(), nullable=True),
    sa.Column('last_name', sa.Text(), nullable=True),
    sa.Column('birth_date', sa.Date(), nullable=True),
    sa.Column('gender', sa.Text(), nullable=True),
    sa.Column('marital_status', sa.Text(), nullable=True),
    sa.Column('license_state', sa.Text(), nullable=True),
    sa.Column('license_number', sa.Text(), nullable=True),
    sa.Column('license_status', sa.Text(), nullable=True),
    sa.Column('years_licensed_in_state', sa.Integer(), nullable=True),
    sa.Column('learners_permit', sa.Boolean(), nullable=True),
    sa.Column('restricted_license', sa.Boolean(), nullable=True),
    sa.Column('suspended_license', sa.Boolean(), nullable=True),
    sa.Column('suspended_on', sa.Date(), nullable=True),
    sa.Column('relation_id', sa.Text(), nullable=True),
    sa.Column('occupation_id', sa.Text(), nullable=True),
    sa.Column('is_named_insured', sa.Boolean(), nullable=True),
    sa.Column('excluded', sa.Boolean(), nullable=True),
    sa.Column('requires_sr22', sa.Boolean(), nullable=True),
    sa.Column('sr22_case_number', sa.Text(), nullable=True),
    sa.Column('mvr_points', sa.Integer(), nullable=True),
    sa.Column('incidents_last_7_years', sa.Integer(), nullable=True),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('last_synced_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_placeholder', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=True),
    sa.Column('raw_id', sa.Uuid(), nullable=True),
    sa.CheckConstraint('is_placeholder OR (policy_id IS NOT NULL)', name=op.f('ck_drivers_required_present')),
    sa.ForeignKeyConstraint(['agency_id'], ['agencies.id'], name=op.f('fk_drivers_agency_id')),
    sa.ForeignKeyConstraint(['contact_id'], ['contacts.id'], name=op.f('fk_drivers_contact_id')),
    sa.ForeignKeyConstraint(['policy_id'], ['policies.id'], name=op.f('fk_drivers_policy_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_drivers')),
    sa.UniqueConstraint('tenant', 'source_id', name=op.f('uq_drivers_tenant_source_id'))
    )
    op.create_index(op.f('ix_drivers_agency_id'), 'drivers', ['agency_id'], unique=False)
    op.create_index(op.f('ix_drivers_contact_id'), 'drivers', ['contact_id'], unique=False)
    op.create_index(op.f('ix_drivers_policy_id'), 'drivers', ['policy_id'], unique=False)
    op.create_table('equipment',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=False),
    sa.Column('policy_id', sa.Uuid(), nullable=True),
    sa.Column('policy_detail_source_id', sa.Text(), nullable=True),
    sa.Column('description', sa.Text(), nullable=True),
    sa.Column('manufacturer', sa.Text(), nullable=True),
    sa.Column('model', sa.Text(), nullable=True),
    sa.Column('serial_number', sa.Text(), nullable=True),
    sa.Column('year', sa.SmallInteger(), nullable=True),
    sa.Column('value', sa.Numeric(precision=15, scale=2), nullable=True),
    sa.Column('deductible', sa.Numeric(precision=15, scale=2), nullable=True),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('last_synced_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_placeholder', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=True),
    sa.Column('raw_id', sa.Uuid(), nullable=True),
    sa.CheckConstraint('is_placeholder OR (policy_id IS NOT NULL)', name=op.f('ck_equipment_required_present')),
    sa.ForeignKeyConstraint(['policy_id'], ['policies.id'], name=op.f('fk_equipment_policy_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_equipment')),
    sa.UniqueConstraint('tenant', 'source_id', name=op.f('uq_equipment_tenant_source_id'))
    )
    op.create_index(op.f('ix_equipment_policy_id'), 'equipment', ['policy_id'], unique=False)
    op.create_table('policy_details',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=False),
    sa.Column('policy_id', sa.Uuid(), nullable=True),
    sa.Column('line_of_business', sa.Text(), nullable=True),
    sa.Column('lob_id', sa.Text(), nullable=True),
    sa.Column('lob_code', sa.Text(), nullable=True),
    sa.Column('acord_code', sa.Text(), nullable=True),
    sa.Column('internal_code', sa.Text(), nullable=True),
    sa.Column('has_details', sa.Boolean(), nullable=True),
    sa.Column('is_package', sa.Boolean(), nullable=True),
    sa.Column('details_group', sa.Text(), nullable=True),
    sa.Column('business_type', sa.Text(), nullable=True),
    sa.Column('binder_date', sa.Date(), nullable=True),
    sa.Column('agent_id', sa.Uuid(), nullable=True),
    sa.Column('agent_name', sa.Text(), nullable=True),
    sa.Column('csr_id', sa.Uuid(), nullable=True),
    sa.Column('csr_name', sa.Text(), nullable=True),
    sa.Column('location_id', sa.Uuid(), nullable=True),
    sa.Column('department_id', sa.Uuid(), nullable=True),
    sa.Column('billing_type', sa.Text(), nullable=True),
    sa.Column('payment_plan', sa.Text(), nullable=True),
    sa.Column('annualized_premium', sa.Numeric(precision=15, scale=2), nullable=True),
    sa.Column('fees_amount', sa.Numeric(precision=15, scale=2), nullable=True),
    sa.Column('taxes_amount', sa.Numeric(precision=15, scale=2), nullable=True),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('last_synced_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_placeholder', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=True),
    sa.Column('raw_id', sa.Uuid(), nullable=True),
    sa.CheckConstraint('is_placeholder OR (policy_id IS NOT NULL)', name=op.f('ck_policy_details_required_present')),
    sa.ForeignKeyConstraint(['agent_id'], ['employees.id'], name=op.f('fk_policy_details_agent_id')),
    sa.ForeignKeyConstraint(['csr_id'], ['employees.id'], name=op.f('fk_policy_details_csr_id')),
    sa.ForeignKeyConstraint(['department_id'], ['departments.id'], name=op.f('fk_policy_details_department_id')),
    sa.ForeignKeyConstraint(['location_id'], ['locations.id'], name=op.f('fk_policy_details_location_id')),
    sa.ForeignKeyConstraint(['policy_id'], ['policies.id'], name=op.f('fk_policy_details_policy_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_policy_details')),
    sa.UniqueConstraint('tenant', 'source_id', name=op.f('uq_policy_details_tenant_source_id'))
    )
    op.create_index(op.f('ix_policy_details_agent_id'), 'policy_details', ['agent_id'], unique=False)
    op.create_index(op.f('ix_policy_details_csr_id'), 'policy_details', ['csr_id'], unique=False)
    op.create_index(op.f('ix_policy_details_department_id'), 'policy_details', ['department_id'], unique=False)
    op.create_index(op.f('ix_policy_details_location_id'), 'policy_details', ['location_id'], unique=False)
    op.create_index(op.f('ix_policy_details_policy_id'), 'policy_details', ['policy_id'], unique=False)
    op.create_table('quotes',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=False),
    sa.Column('policy_id', sa.Uuid(), nullable=True),
    sa.Column('carrier_id', sa.Uuid(), nullable=True),
    sa.Column('mga_id', sa.Text(), nullable=True),
    sa.Column('quoted_by_id', sa.Uuid(), nullable=True),
    sa.Column('quote_number', sa.Text(), nullable=True),
    sa.Column('status', sa.Text(), nullable=True),
    sa.Column('sub_status', sa.Text(), nullable=True),
    sa.Column('quote_type', sa.Text(), nullable=True),
    sa.Column('quote_date', sa.Date(), nullable=True),
    sa.Column('expiration_date', sa.Date(), nullable=True),
    sa.Column('base_premium', sa.Numeric(precision=15, scale=2), nullable=True),
    sa.Column('conditions', sa.Text(), nullable=True),
    sa.Column('preferred', sa.Boolean(), nullable=True),
    sa.Column('carrier_fees', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('is_deleted', sa.Boolean(), nullable=True),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('last_synced_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_placeholder', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=True),
    sa.Column('raw_id', sa.Uuid(), nullable=True),
    sa.CheckConstraint('is_placeholder OR (policy_id IS NOT NULL AND status IS NOT NULL)', name=op.f('ck_quotes_required_present')),
    sa.ForeignKeyConstraint(['carrier_id'], ['carriers.id'], name=op.f('fk_quotes_carrier_id')),
    sa.ForeignKeyConstraint(['policy_id'], ['policies.id'], name=op.f('fk_quotes_policy_id')),
    sa.ForeignKeyConstraint(['quoted_by_id'], ['employees.id'], name=op.f('fk_quotes_quoted_by_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_quotes')),
    sa.UniqueConstraint('tenant', 'source_id', name=op.f('uq_quotes_tenant_source_id'))
    )
    op.create_index(op.f('ix_quotes_carrier_id'), 'quotes', ['carrier_id'], unique=False)
    op.create_index(op.f('ix_quotes_policy_id'), 'quotes', ['policy_id'], unique=False)
    op.create_index(op.f('ix_quotes_quoted_by_id'), 'quotes', ['quoted_by_id'], unique=False)
    op.create_table('renewals',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=False),
    sa.Column('policy_id', sa.Uuid(), nullable=True),
    sa.Column('prior_policy_id', sa.Uuid(), nullable=True),
    sa.Column('contact_id', sa.Uuid(), nullable=True),
    sa.Column('business_type', sa.Text(), nullable=True),
    sa.Column('binder_date', sa.Date(), nullable=True),
    sa.Column('is_confirmed', sa.Boolean(), nullable=True),
    sa.Column('prior_premium', sa.Numeric(precision=15, scale=2), nullable=True),
    sa.Column('renewal_premium', sa.Numeric(precision=15, scale=2), nullable=True),
    sa.Column('premium_change', sa.Numeric(precision=15, scale=2), nullable=True),
    sa.Column('effective_date', sa.Date(), nullable=True),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('last_synced_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_placeholder', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=True),
    sa.Column('raw_id', sa.Uuid(), nullable=True),
    sa.CheckConstraint('is_placeholder OR (policy_id IS NOT NULL AND prior_policy_id IS NOT NULL)', name=op.f('ck_renewals_required_present')),
    sa.ForeignKeyConstraint(['contact_id'], ['contacts.id'], name=op.f('fk_renewals_contact_id')),
    sa.ForeignKeyConstraint(['policy_id'], ['policies.id'], name=op.f('fk_renewals_policy_id')),
    sa.ForeignKeyConstraint(['prior_policy_id'], ['policies.id'], name=op.f('fk_renewals_prior_policy_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_renewals')),
    sa.UniqueConstraint('tenant', 'source_id', name=op.f('uq_renewals_tenant_source_id'))
    )
    op.create_index(op.f('ix_renewals_contact_id'), 'renewals', ['contact_id'], unique=False)
    op.create_index(op.f('ix_renewals_policy_id'), 'renewals', ['policy_id'], unique=False)
    op.create_index(op.f('ix_renewals_prior_policy_id'), 'renewals', ['prior_policy_id'], unique=False)
    op.create_table('terminations',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=False),
    sa.Column('policy_id', sa.Uuid(), nullable=True),
    sa.Column('contact_id', sa.Uuid(), nullable=True),
    sa.Column('adjustment_type', sa.Text(), nullable=True),
    sa.Column('termination_date', sa.Date(), nullable=True),
    sa.Column('effective_date', sa.Date(), nullable=True),
    sa.Column('reason_id', sa.Text(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('return_premium', sa.Numeric(precision=15, scale=2), nullable=True),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('last_synced_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_placeholder', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=True),
    sa.Column('raw_id', sa.Uuid(), nullable=True),
    sa.CheckConstraint('is_placeholder OR (policy_id IS NOT NULL)', name=op.f('ck_terminations_required_present')),
    sa.ForeignKeyConstraint(['contact_id'], ['contacts.id'], name=op.f('fk_terminations_contact_id')),
    sa.ForeignKeyConstraint(['policy_id'], ['policies.id'], name=op.f('fk_terminations_policy_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_terminations')),
    sa.UniqueConstraint('tenant', 'source_id', name=op.f('uq_terminations_tenant_source_id'))
    )
    op.create_index(op.f('ix_terminations_contact_id'), 'terminations', ['contact_id'], unique=False)
    op.create_index(op.f('ix_terminations_policy_id'), 'terminations', ['policy_id'], unique=False)
    op.create_table('vehicles',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=False),
    sa.Column('policy_id', sa.Uuid(), nullable=True),
    sa.Column('policy_detail_source_id', sa.Text(), nullable=True),
    sa.Column('contact_id', sa.Uuid(), nullable=True),
    sa.Column('agency_id', sa.Uuid(), nullable=True),
    sa.Column('year', sa.SmallInteger(), nullable=True),
    sa.Column('make', sa.Text(), nullable=True),
    sa.Column('model', sa.Text(), nullable=True),
    sa.Column('vin', sa.Text(), nullable=True),
    sa.Column('vin_valid', sa.Boolean(), nullable=True),
    sa.Column('color', sa.Text(), nullable=True),
    sa.Column('vehicle_type', sa.Text(), nullable=True),
    sa.Column('symbol', sa.Text(), nullable=True),
    sa.Column('annual_miles', sa.Integer(), nullable=True),
    sa.Column('commute_miles', sa.Integer(), nullable=True),
    sa.Column('actual_cash_value', sa.Numeric(precision=15, scale=2), nullable=True),
    sa.Column('msrp', sa.Numeric(precision=15, scale=2), nullable=True),
    sa.Column('garage_line1', sa.Text(), nullable=True),
    sa.Column('garage_line2', sa.Text(), nullable=True),
    sa.Column('garage_city', sa.Text(), nullable=True),
    sa.Column('garage_state', sa.Text(), nullable=True),
    sa.Column('garage_zip', sa.Text(), nullable=True),
    sa.Column('passive_seat_belt', sa.Boolean(), nullable=True),
    sa.Column('anti_lock_brakes', sa.Text(), nullable=True),
    sa.Column('air_bag', sa.Text(), nullable=True),
    sa.Column('antitheft_passive', sa.Text(), nullable=True),
    sa.Column('antitheft_active', sa.Text(), nullable=True),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('last_synced_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_placeholder', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=True),
    sa.Column('raw_id', sa.Uuid(), nullable=True),
    sa.CheckConstraint('is_placeholder OR (policy_id IS NOT NULL)', name=op.f('ck_vehicles_required_present')),
    sa.ForeignKeyConstraint(['agency_id'], ['agencies.id'], name=op.f('fk_vehicles_agency_id')),
    sa.ForeignKeyConstraint(['contact_id'], ['contacts.id'], name=op.f('fk_vehicles_contact_id')),
    sa.ForeignKeyConstraint(['policy_id'], ['policies.id'], name=op.f('fk_vehicles_policy_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_vehicles')),
    sa.UniqueConstraint('tenant', 'source_id', name=op.f('uq_vehicles_tenant_source_id'))
    )
    op.create_index(op.f('ix_vehicles_agency_id'), 'vehicles', ['agency_id'], unique=False)
    op.create_index(op.f('ix_vehicles_contact_id'), 'vehicles', ['contact_id'], unique=False)
    op.create_index(op.f('ix_vehicles_policy_id'), 'vehicles', ['policy_id'], unique=False)
    op.create_table('applications',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=False),
    sa.Column('quote_id', sa.Uuid(), nullable=True),
    sa.Column('policy_id', sa.Uuid(), nullable=True),
    sa.Column('contact_id', sa.Uuid(), nullable=True),
    sa.Column('carrier_id', sa.Uuid(), nullable=True),
    sa.Column('application_number', sa.Text(), nullable=True),
    sa.Column('status', sa.Text(), nullable=True),
    sa.Column('line_of_business', sa.Text(), nullable=True),
    sa.Column('requested_effective_date', sa.Date(), nullable=True),
    sa.Column('submitted_on', sa.Date(), nullable=True),
    sa.Column('decision_on', sa.Date(), nullable=True),
    sa.Column('estimated_premium', sa.Numeric(precision=15, scale=2), nullable=True),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('last_synced_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_placeholder', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=True),
    sa.Column('raw_id', sa.Uuid(), nullable=True),
    sa.CheckConstraint('is_placeholder OR (contact_id IS NOT NULL AND status IS NOT NULL)', name=op.f('ck_applications_required_present')),
    sa.ForeignKeyConstraint(['carrier_id'], ['carriers.id'], name=op.f('fk_applications_carrier_id')),
    sa.ForeignKeyConstraint(['contact_id'], ['contacts.id'], name=op.f('fk_applications_contact_id')),
    sa.ForeignKeyConstraint(['policy_id'], ['policies.id'], name=op.f('fk_applications_policy_id')),
    sa.ForeignKeyConstraint(['quote_id'], ['quotes.id'], name=op.f('fk_applications_quote_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_applications')),
    sa.UniqueConstraint('tenant', 'source_id', name=op.f('uq_applications_tenant_source_id'))
    )
    op.create_index(op.f('ix_applications_carrier_id'), 'applications', ['carrier_id'], unique=False)
    op.create_index(op.f('ix_applications_contact_id'), 'applications', ['contact_id'], unique=False)
    op.create_index(op.f('ix_applications_policy_id'), 'applications', ['policy_id'], unique=False)
    op.create_index(op.f('ix_applications_quote_id'), 'applications', ['quote_id'], unique=False)
    op.create_table('coverages',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=False),
    sa.Column('policy_id', sa.Uuid(), nullable=True),
    sa.Column('policy_detail_source_id', sa.Text(), nullable=True),
    sa.Column('vehicle_id', sa.Uuid(), nullable=True),
    sa.Column('code', sa.Text(), nullable=True),
    sa.Column('description', sa.Text(), nullable=True),
    sa.Column('limit1', sa.Numeric(precision=15, scale=2), nullable=True),
    sa.Column('limit2', sa.Numeric(precision=15, scale=2), nullable=True),
    sa.Column('deductible', sa.Numeric(precision=15, scale=2), nullable=True),
    sa.Column('premium', sa.Numeric(precision=15, scale=2), nullable=True),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('last_synced_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_placeholder', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=True),
    sa.Column('raw_id', sa.Uuid(), nullable=True),
    sa.CheckConstraint('is_placeholder OR (policy_id IS NOT NULL)', name=op.f('ck_coverages_required_present')),
    sa.ForeignKeyConstraint(['policy_id'], ['policies.id'], name=op.f('fk_coverages_policy_id')),
    sa.ForeignKeyConstraint(['vehicle_id'], ['vehicles.id'], name=op.f('fk_coverages_vehicle_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_coverages')),
    sa.UniqueConstraint('tenant', 'source_id', name=op.f('uq_coverages_tenant_source_id'))
    )
    op.create_index(op.f('ix_coverages_policy_id'), 'coverages', ['policy_id'], unique=False)
    op.create_index(op.f('ix_coverages_vehicle_id'), 'coverages', ['vehicle_id'], unique=False)
    op.create_table('fees',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=False),
    sa.Column('policy_id', sa.Uuid(), nullable=True),
    sa.Column('quote_id', sa.Uuid(), nullable=True),
    sa.Column('fee_type', sa.Text(), nullable=True),
    sa.Column('name', sa.Text(), nullable=True),
    sa.Column('carrier_fee_id', sa.Text(), nullable=True),
    sa.Column('amount', sa.Numeric(precision=15, scale=4), nullable=True),
    sa.Column('is_percent', sa.Boolean(), nullable=True),
    sa.Column('calculated_amount', sa.Numeric(precision=15, scale=2), nullable=True),
    sa.Column('source_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source_modified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('last_synced_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_placeholder', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('content_hash', sa.Uuid(), nullable=True),
    sa.Column('etl_batch_id', sa.Uuid(), nullable=True),
    sa.Column('raw_id', sa.Uuid(), nullable=True),
    sa.CheckConstraint('is_placeholder OR (policy_id IS NOT NULL)', name=op.f('ck_fees_required_present')),
    sa.ForeignKeyConstraint(['policy_id'], ['policies.id'], name=op.f('fk_fees_policy_id')),
    sa.ForeignKeyConstraint(['quote_id'], ['quotes.id'], name=op.f('fk_fees_quote_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_fees')),
    sa.UniqueConstraint('tenant', 'source_id', name=op.f('uq_fees_tenant_source_id'))
    )
    op.create_index(op.f('ix_fees_policy_id'), 'fees', ['policy_id'], unique=False)
    op.create_index(op.f('ix_fees_quote_id'), 'fees', ['quote_id'], unique=False)
    # A department has a manager, an employee a department: the circle is closed last.
    op.create_foreign_key(op.f('fk_departments_manager_id'), 'departments', 'employees', ['manager_id'], ['id'])


def downgrade() -> None:
    """Move back."""
    op.drop_constraint(op.f('fk_departments_manager_id'), 'departments')
    op.drop_index(op.f('ix_fees_quote_id'), table_name='fees')
    op.drop_index(op.f('ix_fees_policy_id'), table_name='fees')
    op.drop_table('fees')
    op.drop_index(op.f('ix_coverages_vehicle_id'), table_name='coverages')
    op.drop_index(op.f('ix_coverages_policy_id'), table_name='coverages')
    op.drop_table('coverages')
    op.drop_index(op.f('ix_applications_quote_id'), table_name='applications')
    op.drop_index(op.f('ix_applications_policy_id'), table_name='applications')
    op.drop_index(op.f('ix_applications_contact_id'), table_name='applications')
    op.drop_index(op.f('ix_applications_carrier_id'), table_name='applications')
    op.drop_table('applications')
    op.drop_index(op.f('ix_vehicles_policy_id'), table_name='vehicles')
    op.drop_index(op.f('ix_vehicles_contact_id'), table_name='vehicles')
    op.drop_index(op.f('ix_vehicles_agency_id'), table_name='vehicles')
    op.drop_table('vehicles')
    op.drop_index(op.f('ix_terminations_policy_id'), table_name='terminations')
    op.drop_index(op.f('ix_terminations_contact_id'), table_name='terminations')
    op.drop_table('terminations')
    op.drop_index(op.f('ix_renewals_prior_policy_id'), table_name='renewals')
    op.drop_index(op.f('ix_renewals_policy_id'), table_name='renewals')
    op.drop_index(op.f('ix_renewals_contact_id'), table_name='renewals')
    op.drop_table('renewals')
    op.drop_index(op.f('ix_quotes_quoted_by_id'), table_name='quotes')
    op.drop_index(op.f('ix_quotes_policy_id'), table_name='quotes')
    op.drop_index(op.f('ix_quotes_carrier_id'), table_name='quotes')
    op.drop_table('quotes')
    op.drop_index(op.f('ix_policy_details_policy_id'), table_name='policy_details')
    op.drop_index(op.f('ix_policy_details_location_id'), table_name='policy_details')
    op.drop_index(op.f('ix_policy_details_department_id'), table_name='policy_details')
    op.drop_index(op.f('ix_policy_details_csr_id'), table_name='policy_details')
    op.drop_index(op.f('ix_policy_details_agent_id'), table_name='policy_details')
    op.drop_table('policy_details')
    op.drop_index(op.f('ix_equipment_policy_id'), table_name='equipment')
    op.drop_table('equipment')
    op.drop_index(op.f('ix_drivers_policy_id'), table_name='drivers')
    op.drop_index(op.f('ix_drivers_contact_id'), table_name='drivers')
    op.drop_index(op.f('ix_drivers_agency_id'), table_name='drivers')
    op.drop_table('drivers')
    op.drop_index('ix_document_policies_policy_id', table_name='document_policies')
    op.drop_table('document_policies')
    op.drop_index(op.f('ix_commissions_rule_id'), table_name='commissions')
    op.drop_index(op.f('ix_commissions_producer_id'), table_name='commissions')
    op.drop_index(op.f('ix_commissions_policy_id'), table_name='commissions')
    op.drop_index(op.f('ix_commissions_carrier_id'), table_name='commissions')
    op.drop_table('commissions')
    op.drop_index(op.f('ix_claims_policy_id'), table_name='claims')
    op.drop_index(op.f('ix_claims_contact_id'), table_name='claims')
    op.drop_index(op.f('ix_claims_claim_number'), table_name='claims')
    op.drop_table('claims')
    op.drop_index('ix_billing_record_policies_policy_id', table_name='billing_record_policies')
    op.drop_table('billing_record_policies')
    op.drop_index(op.f('ix_acord_forms_policy_id'), table_name='acord_forms')
    op.drop_index(op.f('ix_acord_forms_created_by_id'), table_name='acord_forms')
    op.drop_index(op.f('ix_acord_forms_contact_id'), table_name='acord_forms')
    op.drop_table('acord_forms')
    op.drop_index(op.f('ix_policies_prior_policy_id'), table_name='policies')
    op.drop_index(op.f('ix_policies_policy_number'), table_name='policies')
    op.drop_index(op.f('ix_policies_expiration_date'), table_name='policies')
    op.drop_index(op.f('ix_policies_contact_id'), table_name='policies')
    op.drop_index(op.f('ix_policies_carrier_id'), table_name='policies')
    op.drop_table('policies')
    op.drop_index(op.f('ix_documents_contact_id'), table_name='documents')
    op.drop_table('documents')
    op.drop_index('ix_billing_records_policy_ids', table_name='billing_records', postgresql_using='gin', postgresql_with={'fastupdate': 'off'})
    op.drop_index(op.f('ix_billing_records_location_id'), table_name='billing_records')
    op.drop_index(op.f('ix_billing_records_created_by_id'), table_name='billing_records')
    op.drop_index(op.f('ix_billing_records_contact_id'), table_name='billing_records')
    op.drop_table('billing_records')
    op.drop_index(op.f('ix_contacts_phone'), table_name='contacts')
    op.drop_index(op.f('ix_contacts_opened_by_id'), table_name='contacts')
    op.drop_index(op.f('ix_contacts_office_id'), table_name='contacts')
    op.drop_index(op.f('ix_contacts_location_id'), table_name='contacts')
    op.drop_index(op.f('ix_contacts_email'), table_name='contacts')
    op.drop_index(op.f('ix_contacts_customer_number'), table_name='contacts')
    op.drop_index(op.f('ix_contacts_csr_id'), table_name='contacts')
    op.drop_index(op.f('ix_contacts_agent_id'), table_name='contacts')
    op.drop_table('contacts')
    op.drop_index(op.f('ix_commission_rules_producer_id'), table_name='commission_rules')
    op.drop_index(op.f('ix_commission_rules_location_id'), table_name='commission_rules')
    op.drop_index(op.f('ix_commission_rules_carrier_id'), table_name='commission_rules')
    op.drop_table('commission_rules')
    op.drop_index(op.f('ix_employees_phone'), table_name='employees')
    op.drop_index(op.f('ix_employees_location_id'), table_name='employees')
    op.drop_index(op.f('ix_employees_email'), table_name='employees')
    op.drop_index(op.f('ix_employees_department_id'), table_name='employees')
    op.drop_index(op.f('ix_employees_customer_number'), table_name='employees')
    op.drop_table('employees')
    op.drop_index(op.f('ix_departments_manager_id'), table_name='departments')
    op.drop_index(op.f('ix_departments_location_id'), table_name='departments')
    op.drop_table('departments')
    op.drop_index(op.f('ix_locations_agency_id'), table_name='locations')
    op.drop_table('locations')
    op.drop_table('batch_resources', schema='etl')
    op.drop_index('uq_raw_vehicles_newest', table_name='raw_vehicles', schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.drop_index('ix_raw_vehicles_waiting', table_name='raw_vehicles', schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.drop_index('ix_raw_vehicles_versions', table_name='raw_vehicles', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_vehicles_superseded', table_name='raw_vehicles', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_vehicles_set', table_name='raw_vehicles', schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.drop_index('ix_raw_vehicles_gone', table_name='raw_vehicles', schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.drop_table('raw_vehicles', schema='raw')
    op.drop_index('uq_raw_terminations_newest', table_name='raw_terminations', schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.drop_index('ix_raw_terminations_waiting', table_name='raw_terminations', schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.drop_index('ix_raw_terminations_versions', table_name='raw_terminations', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_terminations_superseded', table_name='raw_terminations', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_terminations_set', table_name='raw_terminations', schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.drop_index('ix_raw_terminations_gone', table_name='raw_terminations', schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.drop_table('raw_terminations', schema='raw')
    op.drop_index('uq_raw_renewals_newest', table_name='raw_renewals', schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.drop_index('ix_raw_renewals_waiting', table_name='raw_renewals', schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.drop_index('ix_raw_renewals_versions', table_name='raw_renewals', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_renewals_superseded', table_name='raw_renewals', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_renewals_set', table_name='raw_renewals', schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.drop_index('ix_raw_renewals_gone', table_name='raw_renewals', schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.drop_table('raw_renewals', schema='raw')
    op.drop_index('uq_raw_quotes_newest', table_name='raw_quotes', schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.drop_index('ix_raw_quotes_waiting', table_name='raw_quotes', schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.drop_index('ix_raw_quotes_versions', table_name='raw_quotes', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_quotes_superseded', table_name='raw_quotes', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_quotes_set', table_name='raw_quotes', schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.drop_index('ix_raw_quotes_gone', table_name='raw_quotes', schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.drop_table('raw_quotes', schema='raw')
    op.drop_index('uq_raw_policy_details_newest', table_name='raw_policy_details', schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.drop_index('ix_raw_policy_details_waiting', table_name='raw_policy_details', schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.drop_index('ix_raw_policy_details_versions', table_name='raw_policy_details', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_policy_details_superseded', table_name='raw_policy_details', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_policy_details_set', table_name='raw_policy_details', schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.drop_index('ix_raw_policy_details_gone', table_name='raw_policy_details', schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.drop_table('raw_policy_details', schema='raw')
    op.drop_index('uq_raw_policies_newest', table_name='raw_policies', schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.drop_index('ix_raw_policies_waiting', table_name='raw_policies', schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.drop_index('ix_raw_policies_versions', table_name='raw_policies', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_policies_superseded', table_name='raw_policies', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_policies_set', table_name='raw_policies', schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.drop_index('ix_raw_policies_gone', table_name='raw_policies', schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.drop_table('raw_policies', schema='raw')
    op.drop_index('uq_raw_locations_newest', table_name='raw_locations', schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.drop_index('ix_raw_locations_waiting', table_name='raw_locations', schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.drop_index('ix_raw_locations_versions', table_name='raw_locations', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_locations_superseded', table_name='raw_locations', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_locations_set', table_name='raw_locations', schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.drop_index('ix_raw_locations_gone', table_name='raw_locations', schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.drop_table('raw_locations', schema='raw')
    op.drop_index('uq_raw_fees_newest', table_name='raw_fees', schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.drop_index('ix_raw_fees_waiting', table_name='raw_fees', schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.drop_index('ix_raw_fees_versions', table_name='raw_fees', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_fees_superseded', table_name='raw_fees', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_fees_set', table_name='raw_fees', schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.drop_index('ix_raw_fees_gone', table_name='raw_fees', schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.drop_table('raw_fees', schema='raw')
    op.drop_index('uq_raw_equipment_newest', table_name='raw_equipment', schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.drop_index('ix_raw_equipment_waiting', table_name='raw_equipment', schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.drop_index('ix_raw_equipment_versions', table_name='raw_equipment', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_equipment_superseded', table_name='raw_equipment', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_equipment_set', table_name='raw_equipment', schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.drop_index('ix_raw_equipment_gone', table_name='raw_equipment', schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.drop_table('raw_equipment', schema='raw')
    op.drop_index('uq_raw_employees_newest', table_name='raw_employees', schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.drop_index('ix_raw_employees_waiting', table_name='raw_employees', schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.drop_index('ix_raw_employees_versions', table_name='raw_employees', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_employees_superseded', table_name='raw_employees', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_employees_set', table_name='raw_employees', schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.drop_index('ix_raw_employees_gone', table_name='raw_employees', schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.drop_table('raw_employees', schema='raw')
    op.drop_index('uq_raw_drivers_newest', table_name='raw_drivers', schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.drop_index('ix_raw_drivers_waiting', table_name='raw_drivers', schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.drop_index('ix_raw_drivers_versions', table_name='raw_drivers', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_drivers_superseded', table_name='raw_drivers', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_drivers_set', table_name='raw_drivers', schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.drop_index('ix_raw_drivers_gone', table_name='raw_drivers', schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.drop_table('raw_drivers', schema='raw')
    op.drop_index('uq_raw_documents_newest', table_name='raw_documents', schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.drop_index('ix_raw_documents_waiting', table_name='raw_documents', schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.drop_index('ix_raw_documents_versions', table_name='raw_documents', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_documents_superseded', table_name='raw_documents', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_documents_set', table_name='raw_documents', schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.drop_index('ix_raw_documents_gone', table_name='raw_documents', schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.drop_table('raw_documents', schema='raw')
    op.drop_index('uq_raw_departments_newest', table_name='raw_departments', schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.drop_index('ix_raw_departments_waiting', table_name='raw_departments', schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.drop_index('ix_raw_departments_versions', table_name='raw_departments', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_departments_superseded', table_name='raw_departments', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_departments_set', table_name='raw_departments', schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.drop_index('ix_raw_departments_gone', table_name='raw_departments', schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.drop_table('raw_departments', schema='raw')
    op.drop_index('uq_raw_coverages_newest', table_name='raw_coverages', schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.drop_index('ix_raw_coverages_waiting', table_name='raw_coverages', schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.drop_index('ix_raw_coverages_versions', table_name='raw_coverages', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_coverages_superseded', table_name='raw_coverages', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_coverages_set', table_name='raw_coverages', schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.drop_index('ix_raw_coverages_gone', table_name='raw_coverages', schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.drop_table('raw_coverages', schema='raw')
    op.drop_index('uq_raw_contacts_newest', table_name='raw_contacts', schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.drop_index('ix_raw_contacts_waiting', table_name='raw_contacts', schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.drop_index('ix_raw_contacts_versions', table_name='raw_contacts', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_contacts_superseded', table_name='raw_contacts', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_contacts_set', table_name='raw_contacts', schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.drop_index('ix_raw_contacts_gone', table_name='raw_contacts', schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.drop_table('raw_contacts', schema='raw')
    op.drop_index('uq_raw_commissions_newest', table_name='raw_commissions', schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.drop_index('ix_raw_commissions_waiting', table_name='raw_commissions', schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.drop_index('ix_raw_commissions_versions', table_name='raw_commissions', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_commissions_superseded', table_name='raw_commissions', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_commissions_set', table_name='raw_commissions', schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.drop_index('ix_raw_commissions_gone', table_name='raw_commissions', schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.drop_table('raw_commissions', schema='raw')
    op.drop_index('uq_raw_commission_rules_newest', table_name='raw_commission_rules', schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.drop_index('ix_raw_commission_rules_waiting', table_name='raw_commission_rules', schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.drop_index('ix_raw_commission_rules_versions', table_name='raw_commission_rules', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_commission_rules_superseded', table_name='raw_commission_rules', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_commission_rules_set', table_name='raw_commission_rules', schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.drop_index('ix_raw_commission_rules_gone', table_name='raw_commission_rules', schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.drop_table('raw_commission_rules', schema='raw')
    op.drop_index('uq_raw_claims_newest', table_name='raw_claims', schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.drop_index('ix_raw_claims_waiting', table_name='raw_claims', schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.drop_index('ix_raw_claims_versions', table_name='raw_claims', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_claims_superseded', table_name='raw_claims', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_claims_set', table_name='raw_claims', schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.drop_index('ix_raw_claims_gone', table_name='raw_claims', schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.drop_table('raw_claims', schema='raw')
    op.drop_index('uq_raw_carriers_newest', table_name='raw_carriers', schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.drop_index('ix_raw_carriers_waiting', table_name='raw_carriers', schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.drop_index('ix_raw_carriers_versions', table_name='raw_carriers', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_carriers_superseded', table_name='raw_carriers', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_carriers_set', table_name='raw_carriers', schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.drop_index('ix_raw_carriers_gone', table_name='raw_carriers', schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.drop_table('raw_carriers', schema='raw')
    op.drop_index('uq_raw_billing_records_newest', table_name='raw_billing_records', schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.drop_index('ix_raw_billing_records_waiting', table_name='raw_billing_records', schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.drop_index('ix_raw_billing_records_versions', table_name='raw_billing_records', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_billing_records_superseded', table_name='raw_billing_records', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_billing_records_set', table_name='raw_billing_records', schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.drop_index('ix_raw_billing_records_gone', table_name='raw_billing_records', schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.drop_table('raw_billing_records', schema='raw')
    op.drop_index('uq_raw_applications_newest', table_name='raw_applications', schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.drop_index('ix_raw_applications_waiting', table_name='raw_applications', schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.drop_index('ix_raw_applications_versions', table_name='raw_applications', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_applications_superseded', table_name='raw_applications', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_applications_set', table_name='raw_applications', schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.drop_index('ix_raw_applications_gone', table_name='raw_applications', schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.drop_table('raw_applications', schema='raw')
    op.drop_index('uq_raw_agencies_newest', table_name='raw_agencies', schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.drop_index('ix_raw_agencies_waiting', table_name='raw_agencies', schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.drop_index('ix_raw_agencies_versions', table_name='raw_agencies', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_agencies_superseded', table_name='raw_agencies', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_agencies_set', table_name='raw_agencies', schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.drop_index('ix_raw_agencies_gone', table_name='raw_agencies', schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.drop_table('raw_agencies', schema='raw')
    op.drop_index('uq_raw_acord_forms_newest', table_name='raw_acord_forms', schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.drop_index('ix_raw_acord_forms_waiting', table_name='raw_acord_forms', schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.drop_index('ix_raw_acord_forms_versions', table_name='raw_acord_forms', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_acord_forms_superseded', table_name='raw_acord_forms', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_acord_forms_set', table_name='raw_acord_forms', schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.drop_index('ix_raw_acord_forms_gone', table_name='raw_acord_forms', schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.drop_table('raw_acord_forms', schema='raw')
    op.drop_index('uq_raw_account_info_newest', table_name='raw_account_info', schema='raw', postgresql_where=sa.text('superseded_at IS NULL'))
    op.drop_index('ix_raw_account_info_waiting', table_name='raw_account_info', schema='raw', postgresql_where=sa.text("status IN ('pending', 'transformed', 'error')"))
    op.drop_index('ix_raw_account_info_versions', table_name='raw_account_info', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_account_info_superseded', table_name='raw_account_info', schema='raw', postgresql_where=sa.text('superseded_at IS NOT NULL'))
    op.drop_index('ix_raw_account_info_set', table_name='raw_account_info', schema='raw', postgresql_where=sa.text('superseded_at IS NULL AND set_key IS NOT NULL'))
    op.drop_index('ix_raw_account_info_gone', table_name='raw_account_info', schema='raw', postgresql_where=sa.text('gone_batch_id IS NOT NULL'))
    op.drop_table('raw_account_info', schema='raw')
    op.drop_table('watermarks', schema='etl')
    op.drop_table('tenants', schema='etl')
    op.drop_table('sync_history', schema='etl')
    op.drop_table('suppressions', schema='etl')
    op.drop_table('slices', schema='etl')
    op.drop_index('ix_requests_requested_at', table_name='requests', schema='etl')
    op.drop_index('ix_requests_batch', table_name='requests', schema='etl')
    op.drop_table('requests', schema='etl')
    op.drop_table('offers', schema='etl')
    op.drop_table('leases', schema='etl')
    op.drop_table('findings', schema='etl')
    op.drop_index('ix_finding_counts_batch', table_name='finding_counts', schema='etl')
    op.drop_table('finding_counts', schema='etl')
    op.drop_index('ix_child_queue_due', table_name='child_queue', schema='etl')
    op.drop_table('child_queue', schema='etl')
    op.drop_table('check_runs', schema='etl')
    op.drop_index('ix_batches_started_at', table_name='batches', schema='etl')
    op.drop_table('batches', schema='etl')
    op.drop_table('audit', schema='etl')
    op.drop_index(op.f('ix_carriers_parent_carrier_id'), table_name='carriers')
    op.drop_table('carriers')
    op.drop_table('agencies')
