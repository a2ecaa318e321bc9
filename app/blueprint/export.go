package blueprint

import (
	"reflect"

	"github.com/tocsin-oncall/tocsin/app/organization"
)

const header = `# The configuration of Tocsin, as "tocsin export" wrote it and "tocsin apply -f" takes it.
# It holds the keys of integrations, which are secrets: keep it where only those may read it who
# may send signals. Passwords and API tokens are not in it.
`

// Export writes the configuration as a file that, applied to it, changes
// nothing. It has the keys of integrations in the clear, which the state must have
// opened.
func Export(s *organization.State) []byte {
	var w writer
	w.WriteString(header)
	for _, section := range fieldsOf(reflect.ValueOf(document{FormatVersion, *s.Document()})) {
		if section.key != "version" {
			w.WriteString("\n")
		}
		w.WriteString(section.key + ":")
		w.value(section.value, 0)
	}
	return []byte(w.String())
}
