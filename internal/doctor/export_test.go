package doctor

var ShownProxy = shownProxy
