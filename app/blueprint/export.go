package blueprint

import (
	"fmt"
	"reflect"

	"github.com/goccy/go-yaml"
)

const header = `# The configuration of Tocsin, as "tocsin export" wrote it and "tocsin apply -f" takes it.
# It holds the keys of integrations, which are secrets: keep it where only those may read it who
# may send signals. Passwords and API tokens are not in it.
`

// Export writes the configuration as a file that, applied to it, changes
// nothing. It has the keys of integrations in the clear.
func Export(s *State) ([]byte, error) {
	d := s.describe()
	escapeStrings(reflect.ValueOf(d).Elem())
	body, err := yaml.MarshalWithOptions(d, yaml.IndentSequence(true))
	if err != nil {
		return nil, fmt.Errorf("write the configuration: %w", err)
	}
	return append([]byte(header), body...), nil
}

// escapeStrings keeps text that looks like ${NAME} from being replaced when it
// is read again.
func escapeStrings(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(escape(v.String()))
	case reflect.Pointer:
		if !v.IsNil() {
			escapeStrings(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				escapeStrings(v.Field(i))
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			escapeStrings(v.Index(i))
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			element := reflect.New(v.Type().Elem()).Elem()
			element.Set(v.MapIndex(k))
			escapeStrings(element)
			v.SetMapIndex(k, element)
		}
	}
}
