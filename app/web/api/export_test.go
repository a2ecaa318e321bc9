package api

// What the tests outside the package read of it.
type (
	IncidentJSON       = incidentJSON
	EventJSON          = eventJSON
	PageJSON           = pageJSON
	ShiftJSON          = shiftJSON
	ScheduleJSON       = scheduleJSON
	OverrideJSON       = overrideJSON
	IntegrationJSON    = integrationJSON
	SimulatedJSON      = simulatedJSON
	SimulatedEntryJSON = simulatedEntryJSON
)

type List[T any] = list[T]

const Prefix = prefix

// Operation is one of the table.
type Operation struct {
	Method, Path string
	Query        []string
}

func Operations() []Operation {
	all := make([]Operation, len(operations))
	for i, o := range operations {
		all[i] = Operation{o.method, o.path, o.query}
	}
	return all
}
