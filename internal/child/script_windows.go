package child

// dotCounts: what is in the present folder is run only if it is named with its
// path, as PowerShell has it.
const dotCounts = false
