// Package world makes inventories and facts for tests: of hosts on which nothing was done yet, of
// hosts that are as the inventory wants them, and of what lies between.
package world
