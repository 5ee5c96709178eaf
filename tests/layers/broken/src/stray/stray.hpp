// Stands in a folder that the table does not declare.
#pragma once
