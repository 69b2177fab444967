/** Says that it runs: whether this page lets a worker of this origin run is found out by trying. */
postMessage('started')
