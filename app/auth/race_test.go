//go:build race

package auth

// raceMemory is how many times the memory the race detector takes.
const raceMemory = 3
