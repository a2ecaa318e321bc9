//go:build !race

package auth

// raceMemory is 1 without the race detector.
const raceMemory = 1
