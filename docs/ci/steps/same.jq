# What a plan does, without when and out of what it was made: two plans of which this is the same do the same.
# Left out: times, commit and tree, generation and versions of records (apply checks the new plan's own), what the
# comparison with a base says, and what is not a change: totals, targets, most notes.
{
	lineage: .muster.lineage,
	destroy: .muster.destroy,
	rollback: .muster.rollback,
	over_limits: (.muster.limits.Over? // []),
	parameters: .muster.parameters,
	secrets: .muster.secrets,
	approval: [.muster.notes[]? | select(.subject == "muster.json") | .text],
	shown: (.resource_changes | map(del(.pending)) | sort_by(.address, .deposed)),
	done: (.muster.changes | map_values(del(.version, .pending)
		| if (.differences | type) == "array" then .differences |= map(del(.pending)) else . end))
}
