// Package desired completes an inventory to all that a plan is measured against: what the files and
// URLs that it names hold, the rules of images, the objects of add-ons, the images that hosts need.
// It knows nothing of how the hosts are.
package desired
