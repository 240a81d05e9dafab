(* SPDX-License-Identifier: GPL-2.0-or-later
   virttdxd.conf(5) for Augeas: every key by its kind, as driver/config/daemon_config.cc takes it. *)
module Virttdxd =
  autoload xfm

  let end = del /[ \t]*(#[^\n]*)?\n/ "\n"
  let quoted = Util.del_str "\"" . store /[^"\n]*/ . Util.del_str "\""
  let is (name:regexp) (value:lens) = [ Util.indent . key name . Sep.space_equal . value . end ]

  let texts = "host" | "soft_host_profile" | "unix_sock_group" | "unix_sock_rw_perms" | "unix_sock_ro_perms"
            | "unix_sock_admin_perms" | "unix_sock_dir" | "auth_unix_rw" | "auth_unix_ro" | "host_uuid" | "host_uuid_source"
            | "hypervisor_type" | "hypervisor_version" | "log_outputs" | "log_filters"
  let numbers = "max_clients" | "max_anonymous_clients" | "max_queued_clients" | "max_client_requests"
              | "min_workers" | "max_workers" | "prio_workers"
              | "admin_max_clients" | "admin_max_queued_clients" | "admin_max_client_requests" | "admin_min_workers" | "admin_max_workers"
              | "keepalive_interval" | "keepalive_count" | "admin_keepalive_interval" | "admin_keepalive_count"
              | "require_launch_security" | "monitor_timeout" | "quote_wait" | "log_level"
              | "audit_level" | "audit_logging" | "ovs_timeout"
  let lists = "access_drivers"

  let blank = del /[ \t\n]*/ " "
  let comma = del /[ \t\n]*,[ \t\n]*/ ", "
  let member = [ seq "member" . quoted ]
  let list = Util.del_str "[" . counter "member" . blank . (member . (comma . member)* . blank)? . Util.del_str "]"

  let lns = ( is texts quoted | is numbers (store /-?[0-9]+/) | is lists list | Util.comment | Util.empty )*

  let filter = incl "/etc/libvirt/virttdxd.conf"
  let xfm = transform lns filter
