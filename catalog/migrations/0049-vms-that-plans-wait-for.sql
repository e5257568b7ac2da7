-- Whether an open run of a plan still has to back a VM up is asked for every VM of a list: of the VM, not of all that wait.
CREATE INDEX plan_run_vms_open ON plan_run_vms (vm_id, plan_run) WHERE state IN ('waiting', 'running');
