package object

import (
	"encoding/json"
	"math"
	"strconv"

	"k8s.io/apimachinery/pkg/api/resource"
)

// empty tells whether a value says no more than its absence does.
func empty(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case bool:
		return !v
	case []any:
		return len(v) == 0
	case map[string]any:
		for _, item := range v {
			if !empty(item) {
				return false
			}
		}
		return true
	}
	text, ok := scalarText(value)
	return ok && text == "0"
}

// sameScalar compares values that are neither objects nor lists. A number equals a text that
// spells it: the API takes either for ports.
func sameScalar(a, b any) bool {
	textA, okA := scalarText(a)
	textB, okB := scalarText(b)
	if okA && okB {
		return textA == textB
	}
	flagA, okA := a.(bool)
	flagB, okB := b.(bool)
	return okA && okB && flagA == flagB
}

// sameQuantity compares two resource quantities ("100m" and 0.1, "50Mi" and "52428800").
func sameQuantity(a, b any) bool {
	textA, okA := scalarText(a)
	textB, okB := scalarText(b)
	if !okA || !okB {
		return false
	}
	quantityA, errA := resource.ParseQuantity(textA)
	quantityB, errB := resource.ParseQuantity(textB)
	return errA == nil && errB == nil && quantityA.Cmp(quantityB) == 0
}

// holdsQuantities tells whether the API's type of a field is a quantity, or a map or struct of
// quantities.
func holdsQuantities(field string) bool {
	switch field {
	case "limits", "requests", "hard", "capacity", "overhead", "sizeLimit", "divisor", "averageValue":
		return true
	}
	return false
}

// scalarText spells a text or number; whole numbers alike whatever type they were decoded to.
func scalarText(value any) (string, bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case int:
		return strconv.Itoa(v), true
	case int32:
		return strconv.FormatInt(int64(v), 10), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case uint64:
		return strconv.FormatUint(v, 10), true
	case json.Number:
		return v.String(), true
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return strconv.FormatInt(int64(v), 10), true
		}
		return strconv.FormatFloat(v, 'g', -1, 64), true
	}
	return "", false
}
