package doctor

var HolderIn = holderIn
