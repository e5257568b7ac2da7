/* Made from api/openapi.json by web/write-api-types.ts; do not edit. */

export interface paths {
    "/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who took what out of points */
        get: operations["listAudit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/bandwidth": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A mover says what it copies and hears how fast it may; every two seconds */
        post: operations["reportBandwidth"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/capacity": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** When each repository is full, by its measured growth */
        get: operations["listCapacity"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/capacity/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One repository: its year, and what comes */
        get: operations["getCapacity"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/capacity/{id}/what-if": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** What more VMs would need there over a year; nothing is changed */
        post: operations["simulateCapacity"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/catalog-copies/{snap}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A copy of the catalog on its way into a repository (workers) */
        get: operations["getCatalogCopy"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/categories": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Workload categories */
        get: operations["listCategories"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/categories/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * What follows from a category for points that exist, before it is saved
         * @description Changes nothing. Problems of its content are part of the answer.
         */
        post: operations["previewCategory"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/categories/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Make or change a category */
        put: operations["putCategory"];
        post?: never;
        /** Remove a category that no VM has */
        delete: operations["removeCategory"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/channels": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who is told, how and of what */
        get: operations["listChannels"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/channels/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Make a channel, or change it as a whole
         * @description What is open and was not told on this channel is told on it within a minute.
         */
        put: operations["putChannel"];
        post?: never;
        /**
         * Remove a channel
         * @description What waits to be sent by it is dropped; the log stays.
         */
        delete: operations["removeChannel"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/channels/{name}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send a test message, or ping, now */
        post: operations["testChannel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Messages, and what became of each */
        get: operations["listDeliveries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/doctor": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Check the installation */
        get: operations["runDoctor"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/drills": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Drills that have ended */
        get: operations["listDrills"];
        put?: never;
        /** Prove that a point comes back */
        post: operations["startDrill"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/drills/agenda": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** When each VM is drilled next, and how many are proven */
        get: operations["listDrillAgenda"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/drills/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One drill with its checks */
        get: operations["getDrill"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/drills/{id}/document": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The signed evidence as a file */
        get: operations["exportDrill"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/drills/{id}/screenshot": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The picture of the booted guest */
        get: operations["getDrillScreenshot"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/drills/{id}/verification": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether what is kept of a drill is what was signed */
        get: operations["verifyDrill"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Server-sent events
         * @description Each event has the sequence number as `id` and the type as `event`. With `Last-Event-ID` the stream replays what was missed; if that is no longer kept, `resync` comes first. `ping` every 15 s. At most two events a second per run.
         */
        get: operations["streamEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/evidence-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The public keys by which evidence is verified */
        get: operations["listEvidenceKeys"];
        put?: never;
        /** Sign with a new key from now on */
        post: operations["rotateEvidenceKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/evidence/{sha256}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A piece of evidence */
        get: operations["getEvidence"];
        /**
         * Keep a piece of evidence (workers)
         * @description The body must hash to the address. 16 MiB at most. PNG, plain text or JSON. Repeating it changes nothing.
         */
        put: operations["putEvidence"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/exports/{kind}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A whole list as a file */
        get: operations["exportList"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/files": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Open the files of a point
         * @description A micro-VM without a network reads the point; its file systems are parsed nowhere else. The run `files/<session>` lasts until nobody has asked for a while, or somebody ends it.
         */
        post: operations["openFiles"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/files/{session}/archive": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Files and folders of one volume as a tar or zip stream
         * @description With modes, times and links; a tar with owners as well. What cannot be read is named in a last member, HOLDFAST-UNREADABLE.txt; a stream that is cut off has no end mark.
         */
        get: operations["downloadFiles"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/files/{session}/content": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The content of a plain file */
        get: operations["downloadFile"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/files/{session}/end": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Close the point */
        post: operations["endFiles"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/files/{session}/entries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A folder, page by page */
        get: operations["listFiles"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/files/{session}/entry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One file or folder */
        get: operations["getFile"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/files/{session}/image": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A whole disk as an image
         * @description Made while it is read, without a copy anywhere; the same disk always gives the same bytes. Every chunk is checked. What is cut off is no image: its length is short of content-length, and a vmdk has no footer.
         */
        get: operations["downloadDisk"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/files/{session}/restore": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Files back into the guest that runs
         * @description Through the agent of the guest, with owner, mode and time, compared by hash in the guest. They grow under names of the run and get their own when they are whole; nothing that is there is replaced unless that is asked for. 503 with NoWorker as long as the point is not open.
         */
        post: operations["restoreFiles"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/files/{session}/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Names below a folder
         * @description Ends after 20 s, 200,000 names or 1,000 results, and says so.
         */
        get: operations["searchFiles"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/files/{session}/volumes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What lies on the disks
         * @description 503 with NoWorker as long as the point is not open: ask again.
         */
        get: operations["listFileVolumes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Is the server there */
        get: operations["getHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/hypervisors": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All hypervisor endpoints */
        get: operations["listHypervisors"];
        put?: never;
        /**
         * Connect a hypervisor
         * @description Only writes it down; test it and discover its VMs next. Secrets stay with the workers.
         */
        post: operations["addHypervisor"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/hypervisors/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One endpoint */
        get: operations["getHypervisor"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Say where a hypervisor is now, or how it is reached
         * @description Its VMs stay its VMs, with their points. Test it next.
         */
        patch: operations["moveHypervisor"];
        trace?: never;
    };
    "/hypervisors/{id}/discover": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Test the connection and list its VMs */
        post: operations["discoverHypervisor"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/hypervisors/{id}/images": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Images in its folder, of which VMs can be made
         * @description Of the platform image only, asked of a worker of its site; by name, 500 at most.
         */
        get: operations["listLooseImages"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/hypervisors/{id}/imports": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make a point of images that lie in its folder
         * @description They become the disks of a VM of this hypervisor, of the platform image, and that VM is backed up: a run like any other. Only files of its folder are read, whoever asks: neither a path nor a link leads out of it.
         */
        post: operations["importImages"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/hypervisors/{id}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Test the connection from a worker of its site */
        post: operations["testHypervisor"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/incidents": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What wants attention, and what did */
        get: operations["listIncidents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/instants": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** VMs that run from a repository */
        get: operations["listInstants"];
        put?: never;
        /**
         * Boot a point out of its repository
         * @description A new VM runs within seconds; what it reads comes from the repository, what it writes stays on the hypervisor. It runs until somebody has it migrated or discarded.
         */
        post: operations["startInstant"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/instants/{run}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One of them */
        get: operations["getInstant"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/instants/{run}/discard": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Remove it with everything that its guest has written */
        post: operations["discardInstant"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/instants/{run}/migrate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Copy it to the hypervisor while it runs
         * @description The guest is not stopped. Afterwards the VM needs nothing of the repository and belongs to nobody’s run.
         */
        post: operations["migrateInstant"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/keeping": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How long records of each kind are kept */
        get: operations["listKeeping"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/keeping/{kind}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Keep records of a kind for so many months
         * @description What is older goes at the next daily look.
         */
        put: operations["setKeeping"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/links": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What may be moved a second between hypervisors and repositories, and what is on now */
        get: operations["listLinks"];
        /** Limit what is moved between a hypervisor and a repository, or no longer: without any limit */
        put: operations["putLink"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/mirrors": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How far each mirror is behind its source */
        get: operations["listMirrors"];
        put?: never;
        /**
         * Copy points into another repository, under its own keys and retention
         * @description Each copy is read back from there before it counts. A run between the two that is under way takes what is asked for as well, and is the answer.
         */
        post: operations["mirrorPoints"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/mirrors/{source}/{target}/shipment": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Copies are on their way on media: until when they are expected
         * @description Until then nothing is copied between the two by itself, and how far the one is behind the other is no alert. What is on its way is not counted as copied.
         */
        put: operations["putShipment"];
        post?: never;
        /** The media have arrived, or will not: copies are made by themselves again */
        delete: operations["endShipment"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/overview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The sentence, what needs you, what runs */
        get: operations["getOverview"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/own-backups": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What each repository holds of the catalog itself */
        get: operations["listOwnBackups"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/plans": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Plans */
        get: operations["listPlans"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/plans/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * What follows from a plan, before it is saved
         * @description Changes nothing. Problems of its content are part of the answer.
         */
        post: operations["previewPlan"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/plans/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One plan */
        get: operations["getPlan"];
        /** Make or change a plan */
        put: operations["putPlan"];
        post?: never;
        /**
         * Remove a plan
         * @description Removes no recovery point: its points go on ageing by what it said last.
         */
        delete: operations["removePlan"];
        options?: never;
        head?: never;
        /**
         * Pause or resume a plan
         * @description A run that is under way goes on. Starts that were due meanwhile are not made up for.
         */
        patch: operations["patchPlan"];
        trace?: never;
    };
    "/plans/{id}/farewell": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What would follow from removing a plan */
        get: operations["planFarewell"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/plans/{id}/lately": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What came of a plan in the last seven days */
        get: operations["planLately"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/plans/{id}/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Let a plan take these VMs
         * @description A plan takes the VMs that its rules select. A VM joins by its category, or by its name where the plan names VMs; what other rules keep out is refused, with the rule.
         */
        post: operations["joinPlan"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/plans/{id}/run": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Run a plan now
         * @description Also a paused one. Its schedule does not change. Refused while a run of the plan is under way.
         */
        post: operations["runPlan"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/points": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Recovery points */
        get: operations["listPoints"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/points/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One recovery point */
        get: operations["getPoint"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/points/{id}/change-review": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Say what a flagged change was */
        post: operations["reviewChange"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/points/{id}/holds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Keep a point whatever rules say */
        post: operations["holdPoint"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/points/{id}/release": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End a hold */
        post: operations["releasePoint"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/points/{id}/remove": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Put a tombstone on a point
         * @description Refused where a retention rule, a hold or a guard of the repository keeps it; the answer names it.
         */
        post: operations["removePoint"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/policy": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Everything that is policy, as a policy file */
        get: operations["exportPolicy"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/policy/apply": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make it so
         * @description All or nothing. A repetition changes nothing.
         */
        post: operations["applyPolicy"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/policy/difference": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** What a policy file would change */
        post: operations["comparePolicy"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/recovery-plans": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Recovery plans, and when each was rehearsed */
        get: operations["listRecoveryPlans"];
        put?: never;
        /** Make a recovery plan */
        post: operations["createRecoveryPlan"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/recovery-plans/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** What a definition would do, and what is wrong with it; nothing is kept */
        post: operations["checkRecoveryPlan"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/recovery-plans/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One of them */
        get: operations["getRecoveryPlan"];
        /** What it says from now on; a run under way goes on as it began */
        put: operations["changeRecoveryPlan"];
        post?: never;
        /** Remove it; what came of its runs stays */
        delete: operations["removeRecoveryPlan"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/recovery-plans/{id}/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Its rehearsals and runs */
        get: operations["listRecoveryRuns"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/recovery-plans/{id}/start": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Rehearse it, or run it for real */
        post: operations["startRecoveryPlan"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/recovery-runs/{run}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How far a run is, what it waits for, and how long each tier took */
        get: operations["getRecoveryRun"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/recovery-runs/{run}/abort": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End it now: remove everything, or hand over what stands */
        post: operations["abortRecoveryRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/recovery-runs/{run}/approve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A manual step is done */
        post: operations["approveRecoveryStep"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/recovery-runs/{run}/choose": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** What becomes of a tier that did not come up */
        post: operations["chooseRecoveryTier"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/replications": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Standbys, and how far each is behind */
        get: operations["listReplications"];
        put?: never;
        /**
         * Let a standby follow a VM on another hypervisor
         * @description The first cycle brings all of it over; each further one what has changed.
         */
        post: operations["createReplication"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/replications/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One of them */
        get: operations["getReplication"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** How far it may be behind, and whether cycles begin by themselves */
        patch: operations["changeReplication"];
        trace?: never;
    };
    "/replications/{id}/cycle": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Bring over what has changed, now */
        post: operations["replicateNow"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/replications/{id}/move": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Fail over, fail back, or end the pair
         * @description Until the guest runs at its new place everything can be, and is, undone. A cycle under way is pushed aside.
         */
        post: operations["moveReplication"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/replications/{id}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Boot a copy of the standby where it reaches nothing, and remove it
         * @description The standby goes on to follow meanwhile.
         */
        post: operations["testStandby"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/reports/protection": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The protection report of a day, a week or a month */
        get: operations["reportProtection"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/repositories": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All repositories */
        get: operations["listRepositories"];
        put?: never;
        /**
         * Register a repository
         * @description The repository itself is made with `holdfast repo init` on a host that reaches it; test it next.
         */
        post: operations["addRepository"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/repositories/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One repository */
        get: operations["getRepository"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * On what a repository lies and where that stands
         * @description Of copies off site and on different media counts what is said here. What is left out stays.
         */
        patch: operations["describeRepository"];
        trace?: never;
    };
    "/repositories/{id}/collections": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The last garbage collections */
        get: operations["listCollections"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/repositories/{id}/own-backup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Write the catalog into the repository now */
        post: operations["backUpCatalog"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/repositories/{id}/retention-audits": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Policy against reality, as it was found once a day */
        get: operations["listRetentionAudits"];
        put?: never;
        /** Compare now what a repository keeps with what its policies say */
        post: operations["auditRetention"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/repositories/{id}/scrub": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * How much of a repository is read every day by itself
         * @description Once a day a verify reads so many bytes, those first whose last pass is oldest, and quarantines what is proved damaged.
         */
        put: operations["setScrub"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/repositories/{id}/sweep-settings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** With what the sweeps of a repository run */
        get: operations["getRepositorySweepSettings"];
        /**
         * Replace what is set for the sweeps of a repository
         * @description A sweep that runs or waits goes on with what it was started with.
         */
        put: operations["setRepositorySweepSettings"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/repositories/{id}/sweeps": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Plan what retention takes of a repository, and take it
         * @description The plan comes first and is stored: what goes, what stays and which rule keeps it. `mode: plan` ends there. A VM that would lose more than `maxShare` of its points is not touched before somebody has approved exactly that plan.
         */
        post: operations["startSweep"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/repositories/{id}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Write, read back, list, delete and measure from a worker of its site */
        post: operations["testRepository"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/repositories/{id}/verify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Prove level by level that what is stored can be read
         * @description Says which points and disks need what is damaged. Nothing is repaired or deleted; a point that needs what is proved damaged is no recovery point any more, one that could not be read stays what it was.
         */
        post: operations["verifyRepository"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/restores": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Restore a VM */
        post: operations["startRestore"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/restores/checks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Would this restore work, and what would it do
         * @description Changes nothing.
         */
        post: operations["checkRestore"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Runs */
        get: operations["listRuns"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{run}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One run */
        get: operations["getRun"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{run}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Cancel; what was begun is undone */
        post: operations["cancelRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{run}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Raw history */
        get: operations["listRunEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{run}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Pause */
        post: operations["pauseRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{run}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Resume */
        post: operations["resumeRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{run}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Start an ended run again with the same input
         * @description A restore in place replaces disks, so it is repeated only with the name of its VM; a restore that has completed is not repeated at all.
         */
        post: operations["retryRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{run}/retry-now": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Do not wait for the next attempt */
        post: operations["retryRunNow"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{run}/runbook": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The runbook: phases, steps, actions */
        get: operations["getRunbook"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{run}/vms": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What came of each VM, of a run of a plan */
        get: operations["listPlanRunVms"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/schedules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** When plans start, and whether the engine has their schedules as they say */
        get: operations["listSchedules"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who am I */
        get: operations["getSession"];
        put?: never;
        /** Exchange the token for a cookie */
        post: operations["createSession"];
        /** Log out */
        delete: operations["deleteSession"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/site-secrets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A secret of the worker’s own site, where that hands them out (workers) */
        post: operations["askSiteSecret"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/site-settings/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What a worker of the site is to keep to (workers) */
        get: operations["getSiteSettings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sites": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All sites, with their workers */
        get: operations["listSites"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sites/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One site: workers, hypervisors, repositories, what runs, and its bandwidth limits */
        get: operations["getSite"];
        /**
         * Make a site, or change what is given of it
         * @description A site that a hypervisor or a repository names is made with it.
         */
        put: operations["putSite"];
        post?: never;
        /** Remove a site that nothing is of */
        delete: operations["removeSite"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sites/{name}/maps/{to}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * What networks and storages of one site are called at another
         * @description It takes the place of what was said before; without any line there is none. Restores, instant restores, recovery plans and replication from the one to the other use it.
         */
        put: operations["putSiteMap"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sites/{name}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ask a worker of the site to reach the server, its hypervisors and its repositories */
        post: operations["testSite"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sites/{name}/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * A token for workers of the site on other machines
         * @description It opens what workers ask the server for, and of that only what is of the site. It is said once.
         */
        post: operations["makeSiteToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sites/{name}/tokens/{token}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** A token that opens nothing any more */
        delete: operations["revokeSiteToken"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/slots": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who works and who waits, per host, repository and link */
        get: operations["listSlots"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/slots/{kind}/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** How many may work at a time */
        put: operations["setSlots"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sweep-settings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** With what the sweeps of all repositories run that say nothing else */
        get: operations["getSweepSettings"];
        /**
         * Replace what is set for the sweeps of all repositories
         * @description A sweep that runs or waits goes on with what it was started with.
         */
        put: operations["setSweepSettings"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sweeps": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Retention sweeps and dry runs */
        get: operations["listSweeps"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sweeps/{run}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One sweep */
        get: operations["getSweep"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sweeps/{run}/approve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Agree to exactly the plan that the digest names */
        post: operations["approveSweep"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sweeps/{run}/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Policy against reality, one row for each point */
        get: operations["auditSweep"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sweeps/{run}/points": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What goes, what stays, and which rule keeps it */
        get: operations["listSweepPoints"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sweeps/{run}/series": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What each VM would lose */
        get: operations["listSweepSeries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/verify-ledgers/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** When each pack was last read as a whole (workers) */
        get: operations["getVerifyLedger"];
        put?: never;
        /** Packs that were read as a whole (workers) */
        post: operations["addToVerifyLedger"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/verify-runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Verifies of repositories */
        get: operations["listVerifyRuns"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/verify-runs/{run}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One verify */
        get: operations["getVerifyRun"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/verify-runs/{run}/findings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What a verify has found, and what needs it
         * @description Of the last ten verifies of a repository; the counts of earlier ones stay.
         */
        get: operations["listVerifyFindings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/vms": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** VMs, those outside their RPO first */
        get: operations["listVms"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/vms/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One VM */
        get: operations["getVm"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Category, exclusion, drill checks, and what holds for it alone */
        patch: operations["changeVm"];
        trace?: never;
    };
    "/vms/{id}/backups": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Back up a VM
         * @description One backup of a VM at a time: a second one is refused with the run that is under way.
         */
        post: operations["startBackup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/vms/{id}/points": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Its recovery points */
        get: operations["listVmPoints"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/vms/{id}/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * What follows for the points of a VM from what would be set for it alone, before it is
         * @description Changes nothing. Problems of its content are part of the answer.
         */
        post: operations["previewVm"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/vms/{id}/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Its runs */
        get: operations["listVmRuns"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/workers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who polls which queue */
        get: operations["listWorkers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        AuditPage: {
            items: components["schemas"]["AuditEntry"][];
            nextCursor: string | null;
            total: number;
        };
        AuditEntry: {
            seq: number;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            ms: number;
            user: string;
            /**
             * @description read-file, read-archive, read-disk: taken out of a point; write-to-guest: out of a point into the guest that runs; rotate-key: another key signs proofs of drills
             * @enum {string}
             */
            action: "read-file" | "read-archive" | "read-disk" | "write-to-guest" | "rotate-key";
            /**
             * @description Fixed at the first discovery
             * @example web-01
             */
            vmId: string | null;
            vmName: string | null;
            /**
             * @description Recovery point, 32 hex digits
             * @example 0192f3a67b1c4d2e8f90a1b2c3d4e5f6
             */
            pointId: string | null;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            pointCreatedMs: number | null;
            /** @description The file session, or the fingerprint of the key */
            subject: string | null;
            detail: {
                volume?: string;
                /** @description As they were asked for; a folder with all in it */
                paths?: string[];
                disk?: string;
                format?: string;
                /** @description Of a part of a file; bytes */
                range?: {
                    start: number;
                    end: number | null;
                };
            };
        };
        Problem: {
            /** @example urn:holdfast:error:NotFound */
            type: string;
            title: string;
            status: number;
            /** @description What happened, to what */
            detail: string;
            instance: string;
            /** @example NotFound */
            code: string;
            /** @description What to do */
            hint: string;
            /** @example errors.md#notfound */
            docs: string;
            causes: string[];
            data?: {
                [key: string]: unknown;
            };
        };
        BandwidthShares: {
            shares: {
                /** @example plan/nightly */
                key: string;
                /** @description null: nothing limits it now */
                bytesPerSecond: number | null;
                /** @description The whole limit, for when the server is away */
                limits: {
                    bytesPerSecond: number;
                    /** @example 02:30 */
                    start: string;
                    /** @example 02:30 */
                    end: string;
                    days?: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[];
                }[];
                timeZone: string;
            }[];
        };
        BandwidthReport: {
            /** @description Names the process: drawn when it starts */
            worker: string;
            moving: {
                /** @example plan/nightly */
                key: string;
                copies: number;
            }[];
        };
        CapacityPage: {
            items: components["schemas"]["Capacity"][];
            nextCursor: string | null;
            total: number;
        };
        Capacity: {
            /** @example main */
            repositoryId: string;
            repositoryName: string;
            /**
             * @description Site whose workers reach it
             * @example local
             */
            site: string;
            /**
             * @description null: never measured
             * @example 1795246432000
             */
            measuredMs: number | null;
            /** @description Bytes */
            storedBytes: number | null;
            /** @description Bytes */
            logicalBytes: number | null;
            /** @description null: the store does not say */
            capacityBytes: number | null;
            /** @description Bytes */
            freeBytes: number | null;
            /** @description What is stored of all that its points show; deduplication and compression together */
            storedShare: number | null;
            forecast: components["schemas"]["Forecast"];
        };
        Forecast: {
            /**
             * @description too-few: fewer than seven days were measured; steady: growth cannot be told from noise
             * @enum {string}
             */
            state: "too-few" | "steady" | "shrinking" | "growing" | "full";
            /** @description Bytes a day: the growth of two months */
            perDay: number | null;
            /** @description Of the flattest month of the last four */
            perDayLow: number | null;
            /** @description Of the steepest */
            perDayHigh: number | null;
            /**
             * @description When no room is left; null: not by this growth, or not known
             * @example 1795246432000
             */
            fullMs: number | null;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            earliestMs: number | null;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            latestMs: number | null;
            samples: number;
            /** @description Between the first and the last sample that count */
            days: number;
        };
        CapacityDetail: components["schemas"]["Capacity"] & {
            /** @description One a day, a year at most, oldest first */
            samples: {
                day: string;
                /** @description Bytes */
                storedBytes: number;
            }[];
        };
        WhatIf: {
            /** @example main */
            repositoryId: string;
            storedShare: number;
            changeShare: number;
            /** @description VMs by which the shares that were not given were measured; 0: the usual ones */
            measuredVms: number;
            /** @description The retention in words */
            keep: string;
            /** @description Bytes */
            capacityBytes: number | null;
            /**
             * @description First week without room, headroom included, within a year
             * @example 1795246432000
             */
            fullMs: number | null;
            marks: {
                /**
                 * @description Unix milliseconds, UTC
                 * @example 1795246432000
                 */
                timeMs: number;
                /** @description Bytes */
                expectedBytes: number;
                /** @description Bytes */
                addedBytes: number;
                /** @description Bytes */
                neededBytes: number;
            }[];
        };
        WhatIfRequest: {
            vms: number;
            /** @description What the disks of each hold */
            bytesPerVm: number;
            /**
             * @description Whose frequency and retention they would have
             * @default standard
             * @example critical
             */
            category?: string;
            /** @description What changes in a day; default: as the middle one of the VMs that were measured, 0.08 with fewer than three */
            changeShare?: number;
            /** @description What is stored of it; default: as measured in the same way, else 0.5 */
            storedShare?: number;
            /**
             * @description Room to leave over: 0.25 … 0.5
             * @default 0.3
             */
            headroom?: number;
        };
        CategoryList: {
            items: components["schemas"]["Category"][];
        };
        Category: components["schemas"]["CategorySpec"] & {
            /** @example critical */
            name: string;
            /** @description Send it back with a change: two people find out about each other */
            revision: number;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            createdMs: number;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            changedMs: number;
            vms: number;
        };
        Keep: {
            /** @description The newest so many */
            last?: number;
            /** @description The newest of each of so many hours in which there is one */
            hourly?: number;
            daily?: number;
            /** @description ISO weeks */
            weekly?: number;
            monthly?: number;
            yearly?: number;
            /** @description Everything younger */
            withinMs?: number;
            /** @description Points that somebody made by hand; default 100 */
            manual?: number;
            /** @description Points made for a publication; default 2 */
            publish?: number;
            /** @description Points made before a restore; default all */
            safety?: number;
        };
        /**
         * @default {
         *       "repositories": 1,
         *       "media": 1,
         *       "offSite": 0,
         *       "immutable": 0
         *     }
         */
        Copies: {
            /** @description Repositories that hold each point */
            repositories: number;
            /**
             * @description Kinds of media that these are on; what the VM itself runs on is not counted
             * @default 1
             */
            media?: number;
            /** @description Of these where the VM does not run */
            offSite: number;
            /** @description Of these where it cannot be deleted for a time */
            immutable: number;
        };
        DrillCheck: components["schemas"]["DrillCommandCheck"] | components["schemas"]["DrillPortCheck"] | components["schemas"]["DrillHttpCheck"];
        DrillCommandCheck: {
            /**
             * @default command
             * @enum {string}
             */
            kind?: "command";
            title: string;
            path: string;
            /** @default [] */
            args?: string[];
            /**
             * @description Of one attempt
             * @default 60000
             */
            timeoutMs?: number;
            /**
             * @description Asked again until it is right, for so long; 0: once
             * @default 0
             */
            withinMs?: number;
            /** @default 0 */
            expectExit?: number;
            /**
             * @description Regular expression that a line of the output must match
             * @default null
             */
            pattern?: string | null;
            /**
             * @description Compares the first integer of the output
             * @default null
             */
            count?: {
                /** @description `previous`: what the newest drill that passed has counted */
                expected: number | "previous";
                /** @description Share: 0.005 is ±0.5 % */
                tolerance: number;
            } | null;
            /**
             * @description Run first, to make the guest fit for isolation; unless it succeeds nothing is asked
             * @default false
             */
            prepares?: boolean;
        };
        DrillPortCheck: {
            /** @enum {string} */
            kind: "port";
            title: string;
            port: number;
            /**
             * @description Of one attempt
             * @default 60000
             */
            timeoutMs?: number;
            /**
             * @description Asked again until it is right, for so long; 0: once
             * @default 0
             */
            withinMs?: number;
        };
        DrillHttpCheck: {
            /** @enum {string} */
            kind: "http";
            title: string;
            /**
             * Format: uri
             * @example http://127.0.0.1:8080/health
             */
            url: string;
            /**
             * @description Regular expression that a line of the output must match
             * @default null
             */
            pattern?: string | null;
            /**
             * @description Of one attempt
             * @default 60000
             */
            timeoutMs?: number;
            /**
             * @description Asked again until it is right, for so long; 0: once
             * @default 0
             */
            withinMs?: number;
        };
        CategorySpec: {
            /** @default  */
            description?: string;
            /**
             * @description How often it wants to be backed up; null: on demand
             * @default null
             */
            everyMs?: number | null;
            keep: components["schemas"]["Keep"];
            copies?: components["schemas"]["Copies"];
            rpoMs: number;
            /** @default null */
            rtoMs?: number | null;
            /** @enum {string} */
            quiesce: "required" | "preferred" | "none";
            /**
             * @description Not proven for so long: due for a drill
             * @default null
             */
            drillEveryMs?: number | null;
            /**
             * @description The same for a full exercise
             * @default null
             */
            exerciseEveryMs?: number | null;
            /** @description What drills do with its VMs, where these say nothing themselves */
            drill?: {
                /** @description Asked of each of its VMs that has no checks of its own */
                checks?: components["schemas"]["DrillCheck"][];
                /** @description How long a guest may take in a drill until its agent answers */
                bootTimeoutMs?: number;
            };
        };
        CategoryPreview: {
            problems: {
                path: string;
                message: string;
                hint: string | null;
            }[];
            /** @description Points that it keeps as it is saved and would let go at the next sweep, where no plan has rules of its own */
            removals: components["schemas"]["PlanRemoval"][];
            /** @description Of the saved category; 0: there is none */
            revision: number;
        };
        PlanRemoval: {
            /** @example main */
            repository: string;
            points: number;
            /** @description Whose points they are */
            vms: number;
            /** @description The first of them */
            examples: {
                /**
                 * @description Fixed at the first discovery
                 * @example web-01
                 */
                vmId: string;
                vmName: string;
                /**
                 * @description Unix milliseconds, UTC
                 * @example 1795246432000
                 */
                timeMs: number;
            }[];
            /** @description VMs whose points were judged */
            lookedAt: number;
            /** @description VMs that the plan takes, as it is saved or as it is asked about */
            ofVms: number;
        };
        CategoryPreviewRequest: {
            category: components["schemas"]["CategorySpec"] & {
                /** @example critical */
                name: string;
            };
        };
        CategoryPut: components["schemas"]["CategorySpec"] & {
            /**
             * @description The revision that was seen; 0: there is none yet; null: whatever is there
             * @default null
             */
            revision?: number | null;
        };
        ChannelList: {
            items: components["schemas"]["Channel"][];
        };
        Channel: {
            /** @example on-call */
            name: string;
            /** @enum {string} */
            kind: "webhook" | "slack" | "teams" | "discord" | "ntfy" | "telegram" | "mail" | "dead-man";
            url: string | null;
            chat: string | null;
            mail: components["schemas"]["MailRoute"] | null;
            credentialRef: string;
            allowPrivate: boolean;
            enabled: boolean;
            route: {
                /** @enum {string} */
                severity: "critical" | "warning";
                tags: string[];
                quiet: {
                    start: string;
                    end: string;
                } | null;
                digestAt: string | null;
                /** @enum {string} */
                digestEvery?: "day" | "week" | "month";
                timeZone: string;
            };
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            createdMs: number;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            changedMs: number;
            /** @description It takes nothing: since when, and what it said last */
            failing: {
                /**
                 * @description Unix milliseconds, UTC
                 * @example 1795246432000
                 */
                sinceMs: number;
                error: components["schemas"]["RunError"] | null;
            } | null;
        };
        MailRoute: {
            /** Format: email */
            from: string;
            to: string[];
            /**
             * @description Who logs in; null: nobody
             * @default null
             */
            user?: string | null;
            /**
             * @description none: in clear, for a relay on the same machine that wants no password
             * @default required
             * @enum {string}
             */
            tls?: "required" | "none";
        };
        RunError: {
            code: string;
            message: string;
            hint: string;
            docs: string;
        };
        ChannelSpec: {
            /** @enum {string} */
            kind: "webhook" | "slack" | "teams" | "discord" | "ntfy" | "telegram" | "mail" | "dead-man";
            /**
             * Format: uri
             * @description Of webhook, ntfy (with the topic) and mail (smtp://host:587, which must offer STARTTLS, or smtps://host:465); of telegram a Bot API server of one’s own, default https://api.telegram.org. Of the others the address is in the secret
             * @default null
             */
            url?: string | null;
            /**
             * @description Of telegram
             * @default null
             */
            chat?: string | null;
            /**
             * @description Of mail
             * @default null
             */
            mail?: {
                /** Format: email */
                from: string;
                to: string[];
                /**
                 * @description Who logs in; null: nobody
                 * @default null
                 */
                user?: string | null;
                /**
                 * @description none: in clear, for a relay on the same machine that wants no password
                 * @default required
                 * @enum {string}
                 */
                tls?: "required" | "none";
            } | null;
            /**
             * @description slack, teams, discord, dead-man: the whole address; telegram: the bot’s token; webhook, ntfy: a bearer token; mail: the password
             * @default
             */
            credentialRef?: string;
            /**
             * @description May be at a private or loopback address
             * @default false
             */
            allowPrivate?: boolean;
            /** @default true */
            enabled?: boolean;
            /**
             * @default {
             *       "severity": "warning",
             *       "tags": [],
             *       "quiet": null,
             *       "digestAt": null,
             *       "digestEvery": "day",
             *       "timeZone": "UTC"
             *     }
             */
            route?: {
                /**
                 * @description critical: nothing less
                 * @default warning
                 * @enum {string}
                 */
                severity?: "critical" | "warning";
                /**
                 * @description Only VMs with one of these tags or of this category, and what concerns no VM; empty: all
                 * @default []
                 */
                tags?: string[];
                /**
                 * @description Hours in which only what is critical is sent; the rest waits
                 * @default null
                 */
                quiet?: {
                    start: string;
                    end: string;
                } | null;
                /**
                 * @description When a summary of the day is sent
                 * @default null
                 */
                digestAt?: string | null;
                /**
                 * @description Every day, on Mondays with the week, or on the first with the month
                 * @default day
                 * @enum {string}
                 */
                digestEvery?: "day" | "week" | "month";
                /** @default UTC */
                timeZone?: string;
            };
        };
        DeliveryPage: {
            items: components["schemas"]["Delivery"][];
            nextCursor: string | null;
            total: number;
        };
        Delivery: {
            id: number;
            channel: string;
            /** @enum {string} */
            type: "alert" | "digest" | "test";
            title: string;
            /** @enum {string} */
            state: "waiting" | "sent" | "failed";
            attempts: number;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            createdMs: number;
            /**
             * @description When it is tried again
             * @example 1795246432000
             */
            nextMs: number | null;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            endedMs: number | null;
            error: components["schemas"]["RunError"] | null;
        };
        Doctor: {
            /** @enum {string} */
            state: "ok" | "attention" | "failed";
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            checkedMs: number;
            checks: {
                id: string;
                title: string;
                /** @enum {string} */
                state: "ok" | "attention" | "failed" | "unknown";
                detail: string;
                hint: string | null;
            }[];
        };
        DrillPage: {
            items: components["schemas"]["Drill"][];
            nextCursor: string | null;
            total: number;
        };
        Drill: {
            /** @example web-01.20261121t073352 */
            id: string;
            /**
             * @description Fixed at the first discovery
             * @example web-01
             */
            vmId: string;
            vmName: string;
            /**
             * @description Recovery point, 32 hex digits
             * @example 0192f3a67b1c4d2e8f90a1b2c3d4e5f6
             */
            pointId: string;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            pointCreatedMs: number | null;
            /** @example main */
            repositoryId: string;
            /**
             * @description disks: those that were restored
             * @enum {string}
             */
            bootedFrom: "disks" | "repository";
            /** @enum {string} */
            verdict: "passed" | "failed" | "inconclusive";
            why: string;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            startedMs: number;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            endedMs: number;
            /** @description From the start of the restore to a guest whose checks passed */
            rtoSeconds: number | null;
            rtoTargetSeconds: number | null;
            restoreSeconds: number;
            bootSeconds: number | null;
            checksPassed: number;
            checksTotal: number;
            /** @description Address of the picture */
            screenshot: string | null;
            run: {
                workflowId: string;
                runId: string;
            };
        };
        Accepted: {
            workflowId: string;
            runId: string;
            links: {
                run: string;
                runbook: string;
                /** @description In the dashboard */
                page: string;
            };
            /** @description Follows the run on the command line */
            command: string;
        };
        DrillRequest: {
            /**
             * @description Default: the newest validated point of vmId
             * @example 0192f3a67b1c4d2e8f90a1b2c3d4e5f6
             */
            pointId?: string;
            /**
             * @description Fixed at the first discovery
             * @example web-01
             */
            vmId?: string;
            /**
             * @description Where to boot in isolation; default: where the VM lives
             * @example lab
             */
            hypervisorId?: string;
            /** @description Default: those of the VM, else those of its category */
            checks?: components["schemas"]["DrillCheck"][];
            /**
             * @description disks: they are restored first; repository: it boots out of the repository, as an instant restore does, and what the boot reads first is noted. What it does not read is not looked at
             * @default disks
             * @enum {string}
             */
            from?: "disks" | "repository";
            /** @description Default: what is said of the VM, else of its category, else five minutes */
            bootTimeoutMs?: number;
            /** @default  */
            reason?: string;
            tuning?: components["schemas"]["Tuning"];
        };
        /** @default {} */
        Tuning: {
            moverHeartbeatMs?: number;
            journalSourceBytes?: number;
            freezeLimitMs?: number;
            operatorWaitMs?: number;
            reprobeMs?: number;
            /** @description How long a guest may take to shut down for its backup. Default 300,000 ms */
            shutdownLimitMs?: number;
            stallTimeoutMs?: number;
        };
        DrillAgenda: components["schemas"]["DrillAgendaPage"] & {
            /** @description Of all VMs, whatever the filter says */
            coverage: {
                /** @description VMs with points to which drills are promised */
                promised: number;
                /** @description of them: passed within their interval */
                proven: number;
                overdue: number;
                neverPassed: number;
            };
        };
        DrillAgendaEntry: {
            /**
             * @description Fixed at the first discovery
             * @example web-01
             */
            vmId: string;
            vmName: string;
            /** @example critical */
            category: string;
            /** @example lab */
            hypervisorId: string;
            /** @description How often a drill is promised */
            everyMs: number;
            /**
             * @description ready: may begin now; coming: later
             * @enum {string}
             */
            state: "running" | "overdue" | "ready" | "coming";
            /**
             * @description From then on Holdfast begins it by itself, where it may
             * @example 1795246432000
             */
            fromMs: number;
            /**
             * @description From then on the promise is broken
             * @example 1795246432000
             */
            dueMs: number;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            lastPassedMs: number | null;
            lastVerdict: ("passed" | "failed" | "inconclusive") | null;
            /**
             * @description Why Holdfast does not begin it by itself: nothing is asked of its guest, or its hypervisor cannot boot and ask one, as far as its last test knows
             * @enum {string|null}
             */
            hindrance: "no-checks" | "hypervisor" | null;
        };
        DrillAgendaPage: {
            items: components["schemas"]["DrillAgendaEntry"][];
            nextCursor: string | null;
            total: number;
        };
        DrillDetail: components["schemas"]["Drill"] & {
            checks: components["schemas"]["DrillCheckResult"][];
            /** @description When its evidence was signed and with which key; null: by a version that signed nothing */
            signed: {
                /**
                 * @description Unix milliseconds, UTC
                 * @example 1795246432000
                 */
                ms: number;
                /**
                 * @description SHA-256 of the public key (SubjectPublicKeyInfo) in hex
                 * @example 9f2c…
                 */
                key: string;
            } | null;
        };
        DrillCheckResult: {
            title: string;
            passed: boolean;
            exit: number | null;
            out: string;
            err: string;
            count: number | null;
            detail: string;
        };
        DrillVerification: {
            genuine: boolean;
            /** @description In words; none where it is genuine */
            problems: string[];
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            signedMs: number;
            /**
             * @description SHA-256 of the public key (SubjectPublicKeyInfo) in hex
             * @example 9f2c…
             */
            key: string;
            /**
             * @description none: none was taken; missing: it is no longer there, only its hash is
             * @enum {string}
             */
            picture: "same" | "none" | "missing" | "changed";
        };
        StreamEvent: {
            /** @enum {string} */
            type: "run" | "point" | "drill" | "vm" | "hypervisor" | "repository" | "workers" | "policy" | "own-backup" | "settings" | "slots" | "sweep" | "verify" | "watch" | "instant" | "replication" | "recovery" | "audit" | "alert" | "resync" | "ping";
            id: string | null;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            ms: number;
            /** @description Run for `run`, else null */
            data?: unknown;
        };
        EvidenceKeys: {
            items: components["schemas"]["EvidenceKey"][];
        };
        EvidenceKey: {
            /**
             * @description SHA-256 of the public key (SubjectPublicKeyInfo) in hex
             * @example 9f2c…
             */
            id: string;
            /** @description PEM */
            publicKey: string;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            firstMs: number;
            /**
             * @description null: it signs now
             * @example 1795246432000
             */
            retiredMs: number | null;
            /** @description Signed with it */
            drills: number;
        };
        FilesRequest: {
            /**
             * @description Recovery point, 32 hex digits
             * @example 0192f3a67b1c4d2e8f90a1b2c3d4e5f6
             */
            pointId: string;
            /**
             * @description Keys of disks; null: all of them
             * @default null
             */
            disks?: string[] | null;
            /**
             * @description disks: whole disks are taken as images, no micro-VM is started, and there are no files
             * @default files
             * @enum {string}
             */
            view?: "files" | "disks";
            /**
             * @description It closes by itself when nobody has asked for so long
             * @default 15
             */
            idleMinutes?: number;
            /** @default  */
            reason?: string;
            tuning?: components["schemas"]["Tuning"];
        };
        FilesEnd: {
            /** @default  */
            reason?: string;
        };
        FilePage: {
            /** @description Folders first, then by name */
            items: components["schemas"]["FileEntry"][];
            /** @description Where the next page begins; null: this was the last */
            next: number | null;
            total: number;
            /** @description false: the folder has more names than are read */
            isComplete: boolean;
        };
        FileEntry: {
            name: string;
            path: string;
            /** @enum {string} */
            kind: "file" | "folder" | "link" | "character-device" | "block-device" | "fifo" | "socket" | "unknown";
            /** @description Bytes */
            size: number;
            /** @description Permissions with set-id and sticky bits */
            mode: number;
            uid: number;
            gid: number;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            modifiedMs: number;
            /** @description Of a link that was asked for by itself */
            target: string | null;
        };
        FilesToGuestRequest: {
            volume: string;
            /** @description Files and folders of the volume */
            paths: string[];
            /**
             * @description beside: where they were, as NAME.restored-YYYYMMDDThhmm; folder: into this one, under their names, which must be free; replace: in the place of what is there, files and links only
             * @default {
             *       "kind": "beside"
             *     }
             */
            to?: {
                /** @enum {string} */
                kind: "beside";
            } | {
                /** @enum {string} */
                kind: "folder";
                /** @description Absolute; made if it is not there */
                folder: string;
            } | {
                /** @enum {string} */
                kind: "replace";
            };
            /** @description To replace: the name of the VM */
            confirmName?: string;
            /** @default  */
            reason?: string;
            tuning?: components["schemas"]["Tuning"];
        };
        FileSearch: {
            items: components["schemas"]["FileEntry"][];
            /** @description Names that were looked at */
            lookedAt: number;
            /** @description false: it ended at a bound, or something could not be read */
            isComplete: boolean;
            unreadable: number;
        };
        FileVolumes: {
            items: components["schemas"]["FileVolume"][];
        };
        FileVolume: {
            id: string;
            /** @enum {string} */
            kind: "partition" | "disk" | "lv" | "md";
            /**
             * @description files: it can be browsed; holder: other volumes lie in it; damaged: it should open, and does not
             * @enum {string}
             */
            state: "files" | "holder" | "empty" | "encrypted" | "unsupported" | "damaged";
            /** @description Key of its disk; null: several, or another volume */
            disk: string | null;
            /** @description Bytes */
            size: number;
            fileSystem: string | null;
            label: string | null;
            uuid: string | null;
            /** @description false: it was in use at the point; what only its journal held is not seen */
            isJournalReplayed: boolean;
            error: string | null;
        };
        Health: {
            /** @enum {string} */
            status: "ok" | "degraded";
            version: string;
            /**
             * @description Whether Temporal answers
             * @enum {string}
             */
            engine: "up" | "down";
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            nowMs: number;
        };
        HypervisorPage: {
            items: components["schemas"]["Hypervisor"][];
            nextCursor: string | null;
            total: number;
        };
        Hypervisor: {
            /** @example lab */
            id: string;
            name: string;
            /** @enum {string} */
            platform: "qemu" | "libvirt" | "proxmox" | "xcpng" | "vsphere" | "hyperv" | "ahv" | "azure" | "image";
            address: string;
            /**
             * @description Site whose workers reach it
             * @example local
             */
            site: string;
            /** @description Where workers find the secret; never the secret */
            credentialRef: string;
            /** @description Pinned certificate or host key */
            identity: string | null;
            options: {
                [key: string]: string | number | boolean;
            };
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            createdMs: number;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            discoveredMs: number | null;
            vms: number;
            probe: components["schemas"]["Probe"] | null;
        };
        Probe: {
            /** @enum {string} */
            state: "ok" | "attention" | "failed";
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            testedMs: number;
            version: string | null;
            identity: string | null;
            /**
             * @description How well this driver is tested
             * @enum {string|null}
             */
            evidence: "verified" | "simulator-verified" | "spec-verified" | "unverified" | null;
            capabilities: {
                [key: string]: unknown;
            } | null;
            findings: components["schemas"]["Finding"][];
            error: components["schemas"]["RunError"] | null;
        };
        Finding: {
            code: string;
            /** @enum {string} */
            severity: "info" | "warning" | "blocking";
            disk: string | null;
            message: string;
            hint: string;
        };
        AddHypervisor: {
            name: string;
            /** @enum {string} */
            platform: "qemu" | "image";
            /** @description Host, URL, or for qemu and image a directory on the worker */
            address: string;
            /**
             * @description Site whose workers reach it
             * @default local
             * @example local
             */
            site?: string;
            /** @default  */
            credentialRef?: string;
            /** @default {} */
            options?: {
                [key: string]: string | number | boolean;
            };
        };
        MoveHypervisor: {
            address?: string;
            /**
             * @description Site whose workers reach it
             * @example local
             */
            site?: string;
            credentialRef?: string;
        };
        Discovery: {
            probe: components["schemas"]["Probe"];
            found: number;
            added: number;
            changed: number;
            gone: number;
        };
        LooseImages: {
            items: components["schemas"]["LooseImage"][];
        };
        LooseImage: {
            /** @description Its name in the folder */
            file: string;
            /** @enum {string|null} */
            format: "raw" | "qcow2" | "vmdk" | "vhdx" | "vhd" | null;
            /** @description Of the file; of a raw one the disk */
            bytes: number;
            /** @description Whose disk it is already */
            vm: string | null;
            /** @description Why it cannot be imported as it is; null: it can */
            problem: string | null;
        };
        ImportImages: {
            /** @description Name of the VM; the same name with the same images makes its next point */
            vm: string;
            /** @description Names in the folder, one for each disk, the one that it boots from first */
            files: string[];
            /** @example main */
            repositoryId?: string;
            /**
             * @description Name of the point
             * @default null
             */
            name?: string | null;
            /** @default  */
            reason?: string;
        };
        IncidentPage: {
            items: components["schemas"]["Incident"][];
            nextCursor: string | null;
            total: number;
        };
        Incident: {
            id: number;
            /** @description As in `needsYou` of the overview */
            kind: string;
            /** @enum {string} */
            severity: "critical" | "warning";
            title: string;
            detail: string;
            /** @description What helps first */
            command: string | null;
            subject: {
                kind: string;
                id: string;
            } | null;
            /** @description As in `needsYou` of the overview */
            part: string | null;
            /** @description Of the VM that it concerns; empty: it concerns everybody */
            tags: string[];
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            openedMs: number;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            seenMs: number;
            /**
             * @description When it was over; null: it is open
             * @example 1795246432000
             */
            recoveredMs: number | null;
            /** @description Why it is over although nothing has mended it; null: it has recovered, or is open */
            endedBy: string | null;
        };
        InstantPage: {
            items: components["schemas"]["Instant"][];
            nextCursor: string | null;
            total: number;
        };
        Instant: {
            runId: string;
            workflowId: string;
            /**
             * @description running: from the repository, and somebody has to say what becomes of it
             * @enum {string}
             */
            state: "starting" | "running" | "migrating" | "migrated" | "discarded" | "failed";
            name: string;
            /**
             * @description isolated: the guest reaches nothing; connected: the networks that the VM had
             * @enum {string}
             */
            network: "isolated" | "connected";
            /**
             * @description Fixed at the first discovery
             * @example web-01
             */
            vmId: string;
            vmName: string;
            /**
             * @description Recovery point, 32 hex digits
             * @example 0192f3a67b1c4d2e8f90a1b2c3d4e5f6
             */
            pointId: string;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            pointMs: number | null;
            /** @example main */
            repositoryId: string;
            repositoryName: string;
            /** @example lab */
            hypervisorId: string;
            hypervisorName: string;
            requestedUser: string;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            startedMs: number;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            bootedMs: number | null;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            endedMs: number | null;
            /** @description Milliseconds */
            ageMs: number;
            /** @description It has been open for longer than a day */
            isForgotten: boolean;
            /** @description What remains to be done, in a sentence */
            todo: string;
            /** @description Why the last copy ended early */
            error: components["schemas"]["RunError"] | null;
            /** @description What is read ahead of its boot; null: nothing is */
            bootList: components["schemas"]["BootList"] | null;
            /** @description Of the last look; null: none yet, or it has ended */
            io: components["schemas"]["InstantIo"] | null;
            command: string;
        };
        BootList: {
            /** @description Bytes */
            bytes: number;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            recordedMs: number;
            /** @description Which has shown it */
            drillId: string;
        };
        InstantIo: {
            /** @enum {string} */
            power: "running" | "stopped" | "paused" | "suspended" | "io-error" | "unknown";
            /** @description By the guest, since its VM was started */
            readBytes: number;
            /** @description Bytes */
            writtenBytes: number;
            /** @description What its overlays take up */
            overlayBytes: number;
            /** @description From the repository, since the worker serves it */
            fetchedBytes: number | null;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            seenMs: number | null;
        };
        InstantRequest: {
            /**
             * @description Recovery point, 32 hex digits
             * @example 0192f3a67b1c4d2e8f90a1b2c3d4e5f6
             */
            pointId: string;
            /** @example lab */
            hypervisorId: string;
            /** @description Of the new VM */
            name: string;
            /**
             * @description isolated: the guest reaches nothing; connected: the networks that the VM had
             * @default isolated
             * @enum {string}
             */
            network?: "isolated" | "connected";
            /**
             * @description MAC addresses and machine id
             * @default new
             * @enum {string}
             */
            identity?: "new" | "same";
            /** @default  */
            reason?: string;
            tuning?: components["schemas"]["Tuning"];
        };
        InstantDiscard: {
            /** @description The name of the new VM: what its guest has written goes with it */
            confirmName: string;
            /** @default  */
            reason?: string;
        };
        InstantMigration: {
            /** @default  */
            reason?: string;
        };
        KeepingList: {
            items: components["schemas"]["Keeping"][];
        };
        Keeping: {
            /** @enum {string} */
            kind: "audit" | "runs" | "usage" | "notifications" | "disk-usage" | "sweeps" | "removed-points" | "collections" | "retention-audits" | "verifications";
            title: string;
            months: number;
            defaultMonths: number;
            /** @description null: this installation writes none of this kind */
            records: number | null;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            oldestMs: number | null;
        };
        SetKeeping: {
            months: number;
        };
        Links: {
            items: components["schemas"]["Link"][];
        };
        Link: {
            /**
             * @description null: all hypervisors together
             * @example lab
             */
            hypervisorId: string | null;
            /**
             * @description null: all repositories together
             * @example main
             */
            repositoryId: string | null;
            /**
             * @description IANA name
             * @example Europe/Paris
             */
            timeZone: string;
            /** @description Of what backups store; none: they are not limited */
            backup: {
                bytesPerSecond: number;
                /** @example 02:30 */
                start: string;
                /** @example 02:30 */
                end: string;
                days?: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[];
            }[];
            /** @description Of what restores and drills fetch */
            restore: {
                bytesPerSecond: number;
                /** @example 02:30 */
                start: string;
                /** @example 02:30 */
                end: string;
                days?: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[];
            }[];
            now: {
                backup: components["schemas"]["LinkNow"];
                restore: components["schemas"]["LinkNow"];
            };
        };
        LinkNow: {
            /** @description What is on now; null: nothing limits it */
            bytesPerSecond: number | null;
            /**
             * @description When that may change; null: never
             * @example 1795246432000
             */
            untilMs: number | null;
            /** @description Disks that are being moved under it */
            copies: number;
        };
        LinkLimits: {
            /**
             * @description IANA name
             * @default UTC
             * @example Europe/Paris
             */
            timeZone?: string;
            /**
             * @description Of what backups store; none: they are not limited
             * @default []
             */
            backup?: {
                bytesPerSecond: number;
                /** @example 02:30 */
                start: string;
                /** @example 02:30 */
                end: string;
                days?: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[];
            }[];
            /**
             * @description Of what restores and drills fetch
             * @default []
             */
            restore?: {
                bytesPerSecond: number;
                /** @example 02:30 */
                start: string;
                /** @example 02:30 */
                end: string;
                days?: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[];
            }[];
            /**
             * @description null: all hypervisors together
             * @example lab
             */
            hypervisorId: string | null;
            /**
             * @description null: all repositories together
             * @example main
             */
            repositoryId: string | null;
        };
        Mirrors: {
            items: components["schemas"]["Mirror"][];
        };
        Mirror: {
            /** @example main */
            sourceId: string;
            sourceName: string;
            /** @example main */
            targetId: string;
            targetName: string;
            /** @description Points that are there */
            done: number;
            /** @description Lag in points: wanted there, and waiting, in hand or failed */
            behind: number;
            /** @description Of those behind: failed at the last try */
            failed: number;
            /** @description Lag in time: how long the oldest point behind could have been there */
            lagMs: number;
            /**
             * @description The moment that the newest point there stands at
             * @example 1795246432000
             */
            newestMs: number | null;
            /** @description Media with copies that are on their way there. None of them counts as copied before it was read there */
            shipment: components["schemas"]["Shipment"] | null;
        };
        Shipment: {
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            sentMs: number;
            /**
             * @description Expected there by then; the lag is trouble again from then on
             * @example 1795246432000
             */
            untilMs: number;
            isOverdue: boolean;
            note: string;
            user: string;
        };
        MirrorRequest: {
            /** @example main */
            sourceId: string;
            /** @example main */
            targetId: string;
            /**
             * @description Only points of this VM
             * @example web-01
             */
            vmId?: string;
            /**
             * @description Only this point, also where it failed, is damaged or was removed
             * @example 0192f3a67b1c4d2e8f90a1b2c3d4e5f6
             */
            pointId?: string;
            /**
             * @description Also points older than the newest of their VM there; never such as were removed there
             * @default false
             */
            all?: boolean;
            /** @default  */
            reason?: string;
            tuning?: components["schemas"]["Tuning"];
        };
        PutShipment: {
            /**
             * @description In the future, 90 days at most
             * @example 1795246432000
             */
            untilMs: number;
            /** @default  */
            note?: string;
        };
        Overview: {
            /** @example All 214 VMs are inside their RPO. */
            sentence: string;
            /** @description One line under the sentence */
            lead: string;
            /** @description VMs that the lead names */
            leadVms: {
                id: string;
                name: string;
            }[];
            /** @enum {string} */
            state: "ok" | "running" | "attention" | "failed" | "idle" | "unknown";
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            readMs: number;
            /**
             * @description Since then every repository was looked into: what is said of points was read from all of them. Null: into one of them nobody has looked yet, or there is none
             * @example 1795246432000
             */
            lookedMs: number | null;
            engine: {
                up: boolean;
                detail: string;
            };
            counts: {
                vms: number;
                protected: number;
                atRisk: number;
                unprotected: number;
                excluded: number;
                /** @description VMs whose last drill passed */
                proven: number;
                points: number;
            };
            /** @description Most urgent first, 50 at most */
            needsYou: components["schemas"]["Attention"][];
            needsYouTotal: number;
            running: components["schemas"]["Run"][];
            /** @description The last ten that ended */
            recent: components["schemas"]["Run"][];
            /** @description Thirty, oldest first */
            days: components["schemas"]["Day"][];
            /** @description What came of each plan, by name, 50 at most */
            plans: components["schemas"]["PlanStrip"][];
            plansTotal: number;
            /** @description What begins by itself in the next twelve hours, or waits for a word, soonest first, 40 at most */
            upcoming: components["schemas"]["Upcoming"][];
            upcomingTotal: number;
            repositories: components["schemas"]["Repository"][];
            setup: {
                repository: boolean;
                hypervisor: boolean;
                firstPoint: boolean;
                firstProof: boolean;
            };
        };
        Attention: {
            /** @enum {string} */
            kind: "failed" | "run-failed" | "point-damaged" | "suspicious-change" | "unexpected-full" | "overdue" | "late" | "unprotected" | "no-worker" | "drill-overdue" | "drill-failed" | "filling" | "repository-failed" | "hypervisor-failed" | "hypervisor-unlisted" | "hypervisor-empty" | "vms-gone" | "residue" | "waiting" | "missed-start" | "schedule" | "without-slot" | "retention-kept" | "retention-vanished" | "retention-overdue" | "instant-forgotten" | "own-backup" | "mirror-lag" | "replication-lag" | "recovery-waiting" | "recovery-lost" | "rehearsal-overdue" | "failed-over" | "copy-failed" | "copy-damaged" | "copies-short" | "engine" | "repository-lost" | "repository-unseen" | "points-vanished" | "points-unreadable" | "clock" | "channel-failing";
            /** @enum {string} */
            severity: "failed" | "attention" | "unknown";
            /** @example web-01 has no point inside its RPO */
            title: string;
            detail: string;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            sinceMs: number | null;
            subject: {
                /** @enum {string} */
                kind: "vm" | "run" | "point" | "repository" | "hypervisor" | "site" | "drill" | "plan" | "category" | "recovery-plan" | "channel";
                id: string;
            } | null;
            /** @description What of the subject it is about: the standby, of those that tell of one; the point that has waited longest, of copies that lag or failed */
            part?: string;
            /** @description What helps first, and the same as a command */
            action: {
                label: string;
                command: string | null;
            };
        };
        Run: {
            /** @example backup/web-01 */
            workflowId: string;
            /** @description Names this run for ever; part of its address */
            runId: string;
            kind: components["schemas"]["RunKind"];
            state: components["schemas"]["RunState"];
            /** @example Backup of web-01 */
            title: string;
            /**
             * @description Fixed at the first discovery
             * @example web-01
             */
            vmId: string | null;
            vmName: string | null;
            /** @example main */
            repositoryId: string | null;
            repositoryName: string | null;
            /** @description The point it made (backup) or used (restore, drill) */
            pointId: string | null;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            startedMs: number;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            endedMs: number | null;
            /** @description Up to now while it runs */
            durationMs: number;
            /** @description Newest known; null before the first byte and after the end */
            progress: components["schemas"]["Progress"] | null;
            resumedTimes: number;
            /** @description One sentence about what came out */
            summary: string | null;
            /** @description What has to be known of it however it ended: that it went on without a slot */
            attention: string | null;
            /** @description Bytes */
            bytesRead: number | null;
            /** @description Bytes */
            bytesStored: number | null;
            error: components["schemas"]["RunError"] | null;
            /** @description What the run could not remove; each says who removes it */
            residue: components["schemas"]["Residue"][];
            requestedBy: components["schemas"]["Requester"];
            /**
             * @description When this row was last compared with the engine
             * @example 1795246432000
             */
            seenMs: number;
        };
        /** @enum {string} */
        RunKind: "backup" | "restore" | "drill" | "retention" | "plan" | "verify" | "instant" | "mirror" | "files" | "replication" | "failover" | "recovery";
        /** @enum {string} */
        RunState: "running" | "paused" | "waiting" | "completed" | "completed-with-residue" | "failed" | "cancelled" | "terminated";
        Progress: {
            bytesDone: number;
            bytesTotal: number;
            bytesRead: number;
            bytesStored: number;
            bytesResumed: number;
            durableOffset: number;
            rate: number | null;
            secondsLeft: number | null;
            /** @enum {string|null} */
            bottleneck: "source" | "mover" | "repository" | "target" | null;
            seenMs: number;
        };
        Residue: {
            kind: string;
            id: string;
            error: string;
            hint: string;
        };
        Requester: {
            user: string;
            reason: string;
        };
        Day: {
            /**
             * @description UTC
             * @example 2026-11-21
             */
            day: string;
            points: number;
            failed: number;
            cancelled: number;
            drillsPassed: number;
            drillsFailed: number;
            newBytes: number;
        };
        PlanStrip: {
            /** @example nightly-lyon */
            name: string;
            /**
             * @description When it starts
             * @example every day at 02:30 (Europe/Paris)
             */
            words: string;
            paused: boolean;
            /** @description That its newest run took; null: it never ran */
            vms: number | null;
            /**
             * @description Its next start by the clock; null: none
             * @example 1795246432000
             */
            nextMs: number | null;
            /** @description Thirty, oldest first */
            days: {
                /**
                 * @description UTC
                 * @example 2026-11-21
                 */
                day: string;
                /** @description VMs backed up, once for each start that took them */
                done: number;
                failed: number;
                /** @description Cancelled, skipped or never begun */
                left: number;
                /** @description Waiting or under way */
                open: number;
                /** @description Starts that did not come */
                missed: number;
            }[];
        };
        Upcoming: {
            /**
             * @description Now, where it is due already
             * @example 1795246432000
             */
            atMs: number;
            /** @enum {string} */
            kind: "plan" | "retention" | "verify" | "drill" | "rehearsal";
            /** @example critical-4h */
            title: string;
            /**
             * @description How much; may be empty
             * @example 18 VMs
             */
            detail: string;
            /** @description null: several */
            subject: {
                /** @enum {string} */
                kind: "plan" | "repository" | "vm" | "recovery-plan";
                id: string;
            } | null;
            /**
             * @description held: it waits for a word of yours
             * @enum {string}
             */
            state: "planned" | "held";
            /** @description Further starts of the same follow that are not listed */
            goesOn: boolean;
        };
        Repository: {
            /** @example main */
            id: string;
            name: string;
            /**
             * @description Site whose workers reach it
             * @example local
             */
            site: string;
            location: components["schemas"]["RepositoryLocation"];
            /**
             * @description On what it lies: what is of one kind may fail together
             * @example object
             * @enum {string}
             */
            media: "disk" | "share" | "object" | "removable";
            /**
             * @description Where that stands, as sites are called; null: at its site
             * @example local
             */
            standsAt: string | null;
            /** @description Where workers find the passphrase; never the passphrase */
            credentialRef: string;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            createdMs: number;
            points: number;
            vms: number;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            newestPointMs: number | null;
            usage: components["schemas"]["RepositoryUsage"] | null;
            /** @description Once a day, by itself: the last try, and why it came to nothing */
            measuring: {
                /**
                 * @description Unix milliseconds, UTC
                 * @example 1795246432000
                 */
                triedMs: number | null;
                error: components["schemas"]["RunError"] | null;
            };
            /**
             * @description At the measured growth; null if it does not grow or is not known yet
             * @example 1795246432000
             */
            fullByMs: number | null;
            test: components["schemas"]["RepositoryTest"] | null;
            scrub: components["schemas"]["Scrub"];
        };
        RepositoryLocation: {
            /** @enum {string} */
            kind: "posix";
            path: string;
        } | {
            /** @enum {string} */
            kind: "s3";
            url: string;
        } | {
            /** @enum {string} */
            kind: "azure";
            url: string;
        };
        RepositoryUsage: {
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            measuredMs: number;
            points: number;
            /** @description Protected VMs */
            series: number;
            packs: number;
            /** @description Bytes */
            storedBytes: number;
            /** @description Bytes */
            uniqueBytes: number;
            /** @description Bytes */
            logicalBytes: number;
            /** @description Bytes */
            capacityBytes: number | null;
            /** @description Bytes */
            freeBytes: number | null;
            /** @description Logical to unique; null while empty */
            dedupRatio: number | null;
            /** @description Unique to stored */
            compressionRatio: number | null;
        };
        RepositoryTest: {
            /** @enum {string} */
            state: "ok" | "failed";
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            testedMs: number;
            repositoryUuid: string | null;
            checks: {
                name: string;
                passed: boolean;
                detail: string;
            }[];
            /** @description Bytes per second */
            writeRate: number | null;
            readRate: number | null;
            /** @description How long the store may show an old listing */
            staleMs: number | null;
            /** @description Clock of the store against the worker’s */
            skewMs: number | null;
            /** @description Who can open it and what it locks; null: not known, as of a test that could not open it */
            security: components["schemas"]["RepositorySecurity"] | null;
            error: components["schemas"]["RunError"] | null;
        };
        RepositorySecurity: {
            /** @description Newest generation of the key-encryption key */
            kekGen: number;
            /** @description Two slots, one of them for recovery, and two key sets */
            isComplete: boolean;
            /** @description Objects with keys that are damaged */
            damaged: number;
            /** @description 50 at most */
            slots: {
                /** @description As `holdfast repo key` names it */
                id: string;
                role: string;
                /**
                 * @description passphrase, recovery, shamir, hpke
                 * @example passphrase
                 */
                type: string;
                label: string;
                /**
                 * @description Unix milliseconds, UTC
                 * @example 1795246432000
                 */
                createdMs: number;
                sound: boolean;
                /** @description Of the newest generation */
                isCurrent: boolean;
                threshold: number | null;
                shares: number | null;
            }[];
            /** @description null: it locks nothing */
            lock: {
                /** @enum {string} */
                mode: "governance" | "compliance";
                /** @description A point cannot be deleted for so long */
                days: number;
                /** @description An object may stay so many days longer */
                generationDays: number;
            } | null;
        };
        Scrub: {
            level: components["schemas"]["ScrubLevel"];
            /** @description Read a day without being asked for; null: nothing */
            budgetBytes: number | null;
            /**
             * @description When a verify that reads packs last came to its end
             * @example 1795246432000
             */
            countedMs: number | null;
            packs: number | null;
            /** @description Bytes */
            bytes: number | null;
            /** @description Of these: read as a whole at least once */
            readPacks: number | null;
            /** @description Bytes */
            readBytes: number | null;
            /**
             * @description Of what was read: the oldest last time
             * @example 1795246432000
             */
            oldestMs: number | null;
            /** @description In so many days everything is read once, at this budget */
            roundDays: number | null;
        };
        /**
         * @description Every stored byte hashed, or every chunk opened as well
         * @enum {string}
         */
        ScrubLevel: "data" | "full";
        OwnBackups: {
            items: components["schemas"]["OwnBackup"][];
        };
        OwnBackup: {
            repository: {
                /** @example main */
                id: string;
                name: string;
            };
            /**
             * @description none: it holds no copy of the catalog; old: older than 26 hours; failing: there is one, the last try failed
             * @enum {string}
             */
            state: "ok" | "none" | "old" | "failing";
            /**
             * @description What the newest copy stands at
             * @example 1795246432000
             */
            madeMs: number | null;
            stem: string | null;
            /** @description Bytes */
            bytes: number | null;
            versions: number | null;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            triedMs: number | null;
            /** @description Of the last try */
            error: components["schemas"]["RunError"] | null;
        };
        PlanPage: {
            items: components["schemas"]["Plan"][];
            nextCursor: string | null;
            total: number;
        };
        Plan: components["schemas"]["PlanSpec"] & {
            /** @example nightly-lyon */
            name: string;
            /** @description Send it back with a change: two people find out about each other */
            revision: number;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            createdMs: number;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            changedMs: number;
            /**
             * @description When it starts
             * @example every day at 02:30 (Europe/Paris)
             */
            words: string;
            /**
             * @description Its next start by the clock; null: none
             * @example 1795246432000
             */
            nextMs: number | null;
            /** @description Its newest run */
            last: components["schemas"]["PlanLastRun"] | null;
            /** @description Starts of the last week that did not come, newest first */
            missed: components["schemas"]["MissedStart"][];
            /** @description That match now */
            vms: number;
            /** @description Of these */
            outsideRpo: number;
        };
        SelectorRule: {
            /** @enum {string} */
            field: "name" | "tag" | "category" | "power" | "hypervisor" | "site";
            /** @description One of them */
            is?: string[];
            /** @description None of them */
            isNot?: string[];
        };
        /**
         * @default {
         *       "kind": "manual"
         *     }
         */
        Schedule: {
            /** @enum {string} */
            kind: "every";
            everyMs: number;
            offsetMs?: number;
        } | {
            /** @enum {string} */
            kind: "calendar";
            at: string[];
            days?: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[];
            monthDays?: number[];
            months?: number[];
        } | {
            /** @enum {string} */
            kind: "cron";
            /** @example 30 2 * * 1-5 */
            cron: string;
        } | {
            /** @enum {string} */
            kind: "after";
            /** @example nightly-lyon */
            plan: string;
            /**
             * @description Whatever came of the run before, which is the default, or only if it went well
             * @enum {string}
             */
            when?: "ended" | "succeeded";
        } | {
            /** @enum {string} */
            kind: "manual";
        };
        /**
         * @default {
         *       "roles": "all",
         *       "include": [],
         *       "exclude": [],
         *       "honourNobak": true
         *     }
         */
        DiskSelection: {
            /**
             * @description data: without the disk it boots from
             * @default all
             * @enum {string}
             */
            roles?: "all" | "data";
            /**
             * @description Empty: all
             * @default []
             */
            include?: components["schemas"]["DiskRule"][];
            /** @default [] */
            exclude?: components["schemas"]["DiskRule"][];
            /**
             * @description [NOBAK] in a label leaves the disk out
             * @default true
             */
            honourNobak?: boolean;
        };
        DiskRule: {
            /** @description Pattern: * any characters, ? one */
            label?: string;
            /** @description Bus address */
            key?: string;
            minBytes?: number;
            maxBytes?: number;
        };
        PlanLastRun: {
            runId: string;
            workflowId: string;
            state: components["schemas"]["RunState"];
            /** @enum {string} */
            trigger: "schedule" | "hand" | "after";
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            startedMs: number;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            endedMs: number | null;
            summary: string | null;
            vms: {
                done: number;
                failed: number;
                total: number;
            };
            /**
             * @description Its window is closed until then; null: it goes on
             * @example Sun 22 Nov 22:00 (Europe/Paris)
             */
            standsUntil: string | null;
        };
        MissedStart: {
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            dueMs: number;
            /**
             * @description `skipped`: the run before was still under way; `after-missed`, `after-failed`: the plan before it did not start, or did not go well
             * @enum {string}
             */
            kind: "missed" | "skipped" | "after-missed" | "after-failed";
        };
        PlanSpec: {
            /** @default  */
            description?: string;
            /** @default false */
            paused?: boolean;
            /** @description All must hold; none: every VM */
            where: components["schemas"]["SelectorRule"][];
            /**
             * @description IANA name
             * @default UTC
             * @example Europe/Paris
             */
            timeZone?: string;
            schedule?: components["schemas"]["Schedule"];
            /** @default null */
            window?: {
                /** @example 02:30 */
                start: string;
                /** @example 02:30 */
                end: string;
                days?: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[];
                /**
                 * @default pause
                 * @enum {string}
                 */
                atEnd?: "pause" | "fail";
            } | null;
            targets: {
                /** @example main */
                repository: string;
                /**
                 * @default backup
                 * @enum {string}
                 */
                copy?: "backup" | "mirror";
                /**
                 * @description null: by the category of each VM
                 * @default null
                 */
                keep?: {
                    /** @description The newest so many */
                    last?: number;
                    /** @description The newest of each of so many hours in which there is one */
                    hourly?: number;
                    daily?: number;
                    /** @description ISO weeks */
                    weekly?: number;
                    monthly?: number;
                    yearly?: number;
                    /** @description Everything younger */
                    withinMs?: number;
                    /** @description Points that somebody made by hand; default 100 */
                    manual?: number;
                    /** @description Points made for a publication; default 2 */
                    publish?: number;
                    /** @description Points made before a restore; default all */
                    safety?: number;
                } | null;
            }[];
            /**
             * @default incremental
             * @enum {string}
             */
            mode?: "incremental" | "full";
            /**
             * @description So long after the last full one the next is full again
             * @default null
             */
            fullEveryMs?: number | null;
            /**
             * @description null: by the category of each VM
             * @default null
             * @enum {string|null}
             */
            quiesce?: "required" | "preferred" | "none" | null;
            /**
             * @description application: only with all hooks before the freeze gone well; `quiesce` says whether a point is made otherwise
             * @default filesystem
             * @enum {string}
             */
            consistency?: "filesystem" | "application";
            /** @default [] */
            hooks?: {
                /** @enum {string} */
                when: "before-freeze" | "after-thaw";
                path: string;
                /** @default [] */
                args?: string[];
                /** @default 60000 */
                timeoutMs?: number;
                /**
                 * @default fail
                 * @enum {string}
                 */
                onFailure?: "fail" | "warn";
            }[];
            disks?: components["schemas"]["DiskSelection"];
            /** @default 1 */
            compressionLevel?: number;
            /** @default 4 */
            concurrency?: number;
            /**
             * @description How often a VM whose backup failed is tried again in the same run
             * @default 1
             */
            retries?: number;
            /** @default 600000 */
            retryAfterMs?: number;
            /** @default [] */
            bandwidth?: {
                bytesPerSecond: number;
                /** @example 02:30 */
                start: string;
                /** @example 02:30 */
                end: string;
                days?: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[];
            }[];
            /** @default 3 */
            priority?: number;
            /**
             * @description Each VM is shut down cleanly for its point and started again; one that is off stays off
             * @default false
             */
            stopBefore?: boolean;
        };
        PlanPreview: {
            problems: {
                path: string;
                message: string;
                hint: string | null;
            }[];
            /** @description Allowed, and worth knowing before it is saved */
            remarks: string[];
            match: {
                total: number;
                /** @description Bytes */
                sizeBytes: number;
                /** @description Bytes */
                changedPerDay: number | null;
                vms: {
                    /**
                     * @description Fixed at the first discovery
                     * @example web-01
                     */
                    id: string;
                    name: string;
                    /** @description Bytes */
                    sizeBytes: number;
                    /** @example critical */
                    category: string;
                    site: string;
                }[];
                /** @description One rule keeps them out */
                nearMisses: {
                    /**
                     * @description Fixed at the first discovery
                     * @example web-01
                     */
                    id: string;
                    name: string;
                    field: string;
                }[];
                /** @description Would match, but left out on purpose */
                excluded: number;
                /** @description Compared with the saved plan */
                added: {
                    total: number;
                    ids: string[];
                };
                removed: {
                    total: number;
                    ids: string[];
                };
            };
            schedule: {
                words: string | null;
                next: {
                    /**
                     * @description Unix milliseconds, UTC
                     * @example 1795246432000
                     */
                    atMs: number;
                    local: string;
                    utc: string;
                    note: string | null;
                }[];
                /** @description Starts that the clocks pass over on a day of the coming year */
                skipped: {
                    at: string;
                    instead: string;
                    on: string;
                }[];
            };
            /** @description What the targets give to each VM: copies, kinds of media, copies that stand elsewhere, locked ones */
            copies: {
                total: number;
                media: number;
                offSite: number;
                immutable: number;
            };
            /** @description As many as the category of each VM wants */
            copiesMet: boolean;
            /** @description Retention a year ahead */
            targets: {
                /** @example main */
                repository: string;
                /**
                 * @description Whose points are shown: that of most VMs
                 * @example critical
                 */
                category: string;
                /** @description Of one VM, that would exist in a year */
                pointsTotal: number;
                /** @description These, newest first; of more than 1000 all that a rule of days or longer keeps, and some of the others */
                points: {
                    /**
                     * @description Unix milliseconds, UTC
                     * @example 1795246432000
                     */
                    timeMs: number;
                    keptBy: string[];
                }[];
                /** @description What all VMs need, month by month, before compression and deduplication */
                marks: {
                    /**
                     * @description Unix milliseconds, UTC
                     * @example 1795246432000
                     */
                    timeMs: number;
                    /** @description Bytes */
                    bytes: number;
                }[];
                /** @description By the saved plan */
                savedMarks: {
                    /**
                     * @description Unix milliseconds, UTC
                     * @example 1795246432000
                     */
                    timeMs: number;
                    /** @description Bytes */
                    bytes: number;
                }[];
                capacityBytes: number | null;
                assumed: {
                    /** @description Bytes */
                    fullBytes: number;
                    /** @description Bytes */
                    changedPerDay: number;
                    measuredVms: number;
                    vms: number;
                    changeShare: number;
                };
            }[];
            /** @description Compared with the saved plan, in words of the policy file */
            changes: {
                path: string;
                before: string | null;
                after: string | null;
            }[];
            /** @description Points that the saved plan keeps and this one would let go at the next sweep */
            removals: components["schemas"]["PlanRemoval"][];
            /** @description The plan as a policy file */
            file: string;
            /** @description Of the saved plan; 0: there is none */
            revision: number;
        };
        PlanPreviewRequest: {
            plan: components["schemas"]["PlanSpec"] & {
                /** @example nightly-lyon */
                name: string;
            };
            /**
             * @description Of each disk in a day, where nothing was measured yet
             * @default 0.05
             */
            changeShare?: number;
        };
        PlanPut: components["schemas"]["PlanSpec"] & {
            /**
             * @description The revision that was seen; 0: there is none yet; null: whatever is there
             * @default null
             */
            revision?: number | null;
        };
        PlanPatch: {
            /** @description A paused plan starts nothing by itself */
            paused: boolean;
            /**
             * @description The revision that was seen; 0: there is none yet; null: whatever is there
             * @default null
             */
            revision?: number | null;
        };
        PlanFarewell: {
            /** @description VMs that no other plan takes: nobody would back them up by itself */
            unplanned: {
                total: number;
                vms: {
                    /**
                     * @description Fixed at the first discovery
                     * @example web-01
                     */
                    id: string;
                    name: string;
                }[];
            };
            /** @description Plans that start after it: while there are any it stays */
            followers: string[];
            /** @description Its run that is under way: backups that have begun are ended, the others are skipped */
            run: {
                runId: string;
                workflowId: string;
            } | null;
        };
        PlanLately: {
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            sinceMs: number;
            /** @description Of it that have ended since, those that repeat one not counted */
            runs: number;
            failedRuns: number;
            /** @description From opening to end: the median of these; null without any */
            usualMs: number | null;
            points: number;
            /** @description Points of which a disk was read in full */
            fulls: number;
            /** @description Of these, where nobody had decided that, by its reason */
            unexpected: {
                why: string;
                points: number;
            }[];
            /** @description Points less consistent than is wanted for their VM now */
            degraded: number;
        };
        PlanMembers: {
            items: {
                /**
                 * @description Fixed at the first discovery
                 * @example web-01
                 */
                vmId: string;
                vmName: string;
                /**
                 * @description in: the plan takes it already
                 * @enum {string}
                 */
                state: "in" | "joins" | "refused";
                /**
                 * @description What changes so that the plan takes it, or why that is not done
                 * @example its category becomes critical, now standard
                 */
                how: string;
            }[];
            /** @description false: a dry run, or there was nothing to do */
            changed: boolean;
        };
        PlanMembersRequest: {
            vmIds: string[];
            /**
             * @description Says what would change, and changes nothing
             * @default false
             */
            dryRun?: boolean;
        };
        PlanRunRequest: {
            /** @default  */
            reason?: string;
        };
        PointPage: {
            items: components["schemas"]["Point"][];
            nextCursor: string | null;
            total: number;
        };
        Point: {
            /**
             * @description Recovery point, 32 hex digits
             * @example 0192f3a67b1c4d2e8f90a1b2c3d4e5f6
             */
            id: string;
            /** @description Name of the point inside its repository */
            stem: string;
            /**
             * @description Fixed at the first discovery
             * @example web-01
             */
            vmId: string;
            vmName: string;
            /** @example main */
            repositoryId: string;
            repositoryName: string;
            /**
             * @description The instant that the disks stand at
             * @example 1795246432000
             */
            createdMs: number;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            validatedMs: number | null;
            /** @enum {string} */
            origin: "manual" | "scheduled" | "publish" | "safety";
            name: string | null;
            description: string | null;
            /**
             * @description mixed: some disks in full
             * @enum {string}
             */
            mode: "full" | "incremental" | "mixed";
            /** @enum {string} */
            consistency: "crash" | "filesystem" | "application";
            /** @description Milliseconds */
            freezeDurationMs: number | null;
            /**
             * @description The VM did not run: shut down for the point, or off anyway; there was nothing to freeze
             * @enum {string|null}
             */
            atRest: "shut-down" | "off" | null;
            diskCount: number;
            /** @description Size of the disks */
            logicalBytes: number;
            /** @description Read from the source */
            readBytes: number;
            /** @description Added to the repository */
            newBytes: number;
            verification: components["schemas"]["Verification"] | null;
            /** @description Found when it was read; it is no longer offered for restores */
            damage: components["schemas"]["Damage"] | null;
            /** @description What changed since the point before it; null: not measured */
            change: components["schemas"]["Change"] | null;
            /** @description Its last drill */
            proof: components["schemas"]["Proof"] | null;
            /** @description What the newest look of retention at its repository has found; null: none has seen it yet */
            kept: components["schemas"]["Kept"] | null;
            run: {
                workflowId: string;
                runId: string;
            } | null;
        };
        Verification: {
            /** @enum {string} */
            level: "validated" | "spot-checked" | "quick" | "data" | "full";
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            ms: number;
            /** @description Chunks read back, for spot-checked */
            chunks: number | null;
        };
        Damage: {
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            ms: number;
            what: string;
        };
        Change: {
            /**
             * @description first: nothing to compare with; suspicious: flagged, and nobody has looked; expected, attack: what a person said of it; unknown: it could not be compared
             * @enum {string}
             */
            state: "first" | "usual" | "suspicious" | "expected" | "attack" | "unknown";
            /** @description From 50 on it is flagged */
            score: number;
        };
        Proof: {
            drillId: string;
            /** @enum {string} */
            verdict: "passed" | "failed" | "inconclusive";
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            endedMs: number;
            rtoSeconds: number | null;
        };
        Kept: {
            /** @description Every rule that keeps it; empty: it goes with that sweep */
            by: string[];
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            ms: number;
        };
        PointDetail: components["schemas"]["Point"] & {
            disks: components["schemas"]["PointDisk"][];
            /**
             * @description Recovery point, 32 hex digits
             * @example 0192f3a67b1c4d2e8f90a1b2c3d4e5f6
             */
            parentId: string | null;
            repositoryPath: string;
            /** @description Restores it from the command line */
            command: string;
            /** @description Where it lies, and where it is to lie */
            copies: components["schemas"]["PointCopy"][];
            /** @description What changed since the point before it, in figures */
            changed: components["schemas"]["ChangeDetail"] | null;
            /** @description What a boot of its VM reads first, as the newest drill out of a repository has shown: an instant restore reads it ahead */
            bootList: components["schemas"]["BootList"] | null;
            /** @description What keeps it whatever rules say */
            holds: components["schemas"]["Hold"][];
        };
        PointDisk: {
            disk: string;
            label: string;
            /** @description Bytes */
            size: number;
            /** @enum {string} */
            mode: "full" | "incremental";
            /** @description Why it was read in full, in words; empty if incremental */
            why: string;
            /** @description Bytes */
            readBytes: number;
            /** @description Bytes */
            newBytes: number;
            /** @description Bytes */
            bytesResumed: number;
            attempts: number;
        };
        PointCopy: {
            /** @example main */
            repositoryId: string;
            repositoryName: string;
            /**
             * @description Where it was copied from; null: from the hypervisor
             * @example main
             */
            sourceId: string | null;
            sourceName: string | null;
            /**
             * @description removed: it was there, and the retention of that repository or a person has removed it
             * @enum {string}
             */
            state: "pending" | "in-progress" | "done" | "failed" | "removed";
            stem: string | null;
            /** @description It is there, validated, and no damage is known */
            isRestorable: boolean;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            wantedMs: number;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            validatedMs: number | null;
            /** @description New in that repository; null: not known */
            storedBytes: number | null;
            verification: components["schemas"]["Verification"] | null;
            damage: components["schemas"]["Damage"] | null;
            /**
             * @description When a look found that it is not there any more
             * @example 1795246432000
             */
            goneMs: number | null;
            /**
             * @description Its store keeps it until then; 0: no lock; null: not known
             * @example 1795246432000
             */
            immutableUntilMs: number | null;
            problem: string | null;
            attempts: number;
            /**
             * @description When what failed is tried again by itself
             * @example 1795246432000
             */
            retryMs: number | null;
            runId: string | null;
        };
        ChangeDetail: components["schemas"]["Change"] & {
            /** @example 2.7 GiB that could be compressed no longer can */
            sentence: string;
            /** @enum {string|null} */
            sign: "encrypted" | "overwritten" | "emptied" | null;
            /**
             * @description Recovery point, 32 hex digits
             * @example 0192f3a67b1c4d2e8f90a1b2c3d4e5f6
             */
            beforeId: string | null;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            beforeMs: number | null;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            measuredMs: number;
            /** @description Why it could not be compared */
            problem: string | null;
            /** @description Bytes */
            heldBytes: number | null;
            /** @description Bytes */
            rewrittenBytes: number | null;
            /** @description Bytes */
            addedBytes: number | null;
            /** @description Bytes */
            removedBytes: number | null;
            /** @description Could be compressed before, and hardly can now: in place, or as much of each elsewhere */
            turnedBytes: number | null;
            /** @description What this VM does not exceed by itself; null: too few points */
            usualBytes: number | null;
            /** @description What compression left of the rewritten places before; 0 … 1 */
            storedShareBefore: number | null;
            /** @description The same, now */
            storedShare: number | null;
            /** @description Of what changed, what the repository had already; 0 … 1 */
            knownShare: number | null;
            /**
             * @description The newest point before it that nothing speaks against
             * @example 0192f3a67b1c4d2e8f90a1b2c3d4e5f6
             */
            lastCleanId: string | null;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            lastCleanMs: number | null;
            review: components["schemas"]["ChangeReview"] | null;
        };
        ChangeReview: {
            /** @enum {string} */
            verdict: "expected" | "attack";
            by: string;
            reason: string;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            ms: number;
        };
        Hold: {
            name: string;
            /** @description Where; each repository that has the point has its own */
            repositoryId: string;
            /** @enum {string} */
            type: "pin" | "legal" | "unknown";
            actor: string;
            reason: string;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            ms: number | null;
        };
        ChangeReviewRequest: {
            /**
             * @description expected: it was meant, and its like is not flagged again; attack: it never counts as usual
             * @enum {string}
             */
            verdict: "expected" | "attack";
            reason: string;
        };
        Holds: {
            items: components["schemas"]["Hold"][];
            /** @description Copies without the hold yet: retention leaves them alone, and they get it within minutes */
            missing: {
                repositoryId: string;
                /** @enum {string} */
                type: "pin" | "legal";
            }[];
        };
        HoldRequest: {
            /**
             * @default pin
             * @enum {string}
             */
            type?: "pin" | "legal";
            reason: string;
        };
        ReleaseRequest: {
            /** @description One of its holds; default: all pins */
            hold?: string;
            /** @default  */
            reason?: string;
        };
        RemovePoint: {
            /** @description The name of its VM, typed by whoever asks */
            confirmName: string;
            /**
             * @description From this repository; needed where it lies in several. A point goes with its last copy.
             * @example main
             */
            repositoryId?: string;
            reason: string;
        };
        PolicyDifference: {
            changes: components["schemas"]["PolicyChange"][];
            /** @description Exists, is not in the file, and stays: `prune` would remove it */
            unlisted: {
                /** @enum {string} */
                kind: "category" | "plan" | "vm" | "link" | "recovery-plan" | "sweep" | "scrub" | "slot" | "record" | "channel";
                name: string;
            }[];
        };
        PolicyChange: {
            /** @enum {string} */
            kind: "category" | "plan" | "vm" | "link" | "recovery-plan" | "sweep" | "scrub" | "slot" | "record" | "channel";
            name: string;
            /** @enum {string} */
            action: "create" | "change" | "remove";
            members: {
                /** @example targets.0.keep.daily */
                path: string;
                before: string | null;
                after: string | null;
            }[];
        };
        PolicyFile: {
            /** @description YAML, as docs/policy.md describes it */
            file: string;
            /**
             * @description Also remove what exists and is not in the file, of the sections that the file has
             * @default false
             */
            prune?: boolean;
        };
        PolicyComparison: components["schemas"]["PolicyDifference"] & {
            /** @description Points that the rules of this plan, category or VM keep and would let go at the next sweep, as far as they decide it */
            removals: (components["schemas"]["PlanRemoval"] & {
                /** @enum {string} */
                kind: "plan" | "category" | "vm";
                name: string;
            })[];
        };
        RecoveryPlans: {
            items: components["schemas"]["RecoveryPlan"][];
        };
        RecoveryPlan: {
            id: string;
            revision: number;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            createdMs: number;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            changedMs: number;
            spec: components["schemas"]["RecoverySpec"];
            check: components["schemas"]["RecoveryCheck"];
            vms: number;
            lastRehearsal: components["schemas"]["RecoveryLastRun"] | null;
            /** @description Rehearsal of what the plan says now in which every VM came back */
            lastPassed: components["schemas"]["RecoveryLastRun"] | null;
            /** @description For real */
            lastRun: components["schemas"]["RecoveryLastRun"] | null;
            /** @description Run that is under way */
            running: string | null;
            /** @description VMs that are there already, as far as is known: a run for real needs them in beside */
            originals: {
                /**
                 * @description Fixed at the first discovery
                 * @example web-01
                 */
                vmId: string;
                vmName: string;
                problems: string[];
            }[];
            /**
             * @description When the next rehearsal that passes is promised
             * @example 1795246432000
             */
            dueMs: number | null;
            isOverdue: boolean;
        };
        RecoverySpec: {
            name: string;
            /** @default  */
            description?: string;
            /**
             * @description null: where each VM lives
             * @default null
             * @example lab
             */
            hypervisorId?: string | null;
            /**
             * @description Network of the point to network of the target; rehearsals are isolated anyway
             * @default []
             */
            networks?: {
                from: string;
                to: string | null;
            }[];
            /**
             * @description MAC addresses and machine id
             * @default new
             * @enum {string}
             */
            identity?: "new" | "same";
            /**
             * @description VMs at the same time
             * @default 2
             */
            atOnce?: number;
            /**
             * @description Milliseconds
             * @default null
             */
            rehearseEveryMs?: number | null;
            tiers: components["schemas"]["RecoveryTier"][];
        };
        RecoveryTier: {
            /**
             * @description Names the tier in the plan
             * @example databases
             */
            key: string;
            /**
             * @description Default: its key
             * @default
             */
            name?: string;
            /**
             * @description Tiers that are done before it begins; null: the one above it
             * @default null
             */
            after?: string[] | null;
            /**
             * @description Milliseconds
             * @default 0
             */
            delayMs?: number;
            /**
             * @description What people do first
             * @default []
             */
            before?: components["schemas"]["ManualStep"][];
            /** @default [] */
            members?: components["schemas"]["RecoveryMember"][];
            /**
             * @description What of each VM is waited for: its checks pass, its guest answers, it was started
             * @default checks
             * @enum {string}
             */
            needs?: "checks" | "answer" | "start";
            /** @default 300000 */
            bootTimeoutMs?: number;
            /**
             * @description What people do once its VMs are there
             * @default []
             */
            then?: components["schemas"]["ManualStep"][];
            /**
             * @description Promised from the start of the run until the tier is done
             * @default null
             */
            rtoMs?: number | null;
        };
        ManualStep: {
            title: string;
            /** @default  */
            detail?: string;
        };
        RecoveryMember: {
            /**
             * @description Fixed at the first discovery
             * @example web-01
             */
            vmId: string;
            /**
             * @description null: where the plan says
             * @default null
             * @example lab
             */
            hypervisorId?: string | null;
            /**
             * @description Of the new VM; null: its own, with -recovered where the VM itself lives
             * @default null
             */
            name?: string | null;
        };
        RecoveryCheck: {
            /** @description Keys of tiers that begin together, in order */
            stages: string[][];
            findings: {
                at: string;
                /** @enum {string} */
                severity: "blocking" | "warning";
                message: string;
                hint: string;
            }[];
        };
        RecoveryLastRun: {
            runId: string;
            state: string;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            startedMs: number;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            endedMs: number | null;
            /** @description It did what the plan says now; false: that was changed since */
            isCurrent: boolean;
            /** @description What people do was left out */
            skipped: boolean;
            /** @description null: a tier was not done, or people were left out */
            rtoMs: number | null;
        };
        RecoveryPlanChange: {
            spec: components["schemas"]["RecoverySpec"];
            /**
             * @description The revision that was seen; 0: there is none yet; null: whatever is there
             * @default null
             */
            revision?: number | null;
        };
        RecoveryRuns: {
            items: components["schemas"]["RecoveryRun"][];
            nextCursor: string | null;
            total: number;
        };
        RecoveryRun: {
            runId: string;
            workflowId: string;
            planId: string;
            planName: string;
            /** @enum {string} */
            mode: "rehearse" | "run";
            /** @enum {string} */
            state: "running" | "passed" | "incomplete" | "aborted" | "failed" | "cancelled";
            /** @description How it ended */
            why: string;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            untilMs: number | null;
            withoutPeople: boolean;
            requestedUser: string;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            startedMs: number;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            endedMs: number | null;
            /** @description From the start until the last tier was done; null: it was not */
            rtoMs: number | null;
            /** @description Tiers that waited for people at the same time waited once */
            waitedMs: number;
            /** @description VMs that are or were what their tier waits for */
            back: number;
            vms: number;
            tiers: components["schemas"]["RecoveryTierRecord"][];
        };
        RecoveryTierRecord: {
            key: string;
            name: string;
            /** @enum {string} */
            state: "pending" | "delayed" | "running" | "waiting" | "done" | "continued" | "failed" | "skipped";
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            startedMs: number | null;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            endedMs: number | null;
            /** @description From its begin until it was done */
            tookMs: number | null;
            /** @description Of that: for people */
            waitedMs: number;
            /** @description From the start of the run until it was done */
            sinceStartMs: number | null;
            /** @description Milliseconds */
            rtoMs: number | null;
            /** @description null: nothing is promised, or it cannot be told: not yet, or people were left out */
            isInTime: boolean | null;
            waitsFor: components["schemas"]["TierWait"] | null;
            answers: {
                id: string;
                title: string;
                answer: string;
                user: string;
                reason: string;
                /**
                 * @description Unix milliseconds, UTC
                 * @example 1795246432000
                 */
                ms: number;
            }[];
            members: components["schemas"]["RecoveryMemberRecord"][];
        };
        TierWait: {
            id: string;
            /** @enum {string} */
            kind: "step" | "choice";
            title: string;
            detail: string;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            sinceMs: number;
        };
        RecoveryMemberRecord: {
            vmId: string;
            vmName: string;
            name: string | null;
            pointId: string | null;
            /** @description Of its drill or restore, once the catalog knows it */
            runId: string | null;
            attempts: number;
            /**
             * @description lost: was back, and its run has ended since; left: removed, save what residue names
             * @enum {string}
             */
            state: "pending" | "recovering" | "ready" | "short" | "failed" | "lost" | "kept" | "kept-short" | "removed" | "left" | "skipped";
            /** @description Where its original was when the run began; empty: nobody looked */
            original: string;
            /** @description What could not be removed */
            residue: components["schemas"]["Residue"][];
            /** @enum {string|null} */
            verdict: "passed" | "failed" | "inconclusive" | null;
            why: string;
            restoreSeconds: number | null;
            bootSeconds: number | null;
            rtoSeconds: number | null;
        };
        RecoveryStart: {
            /**
             * @description rehearse: isolated, and nothing of it is left; run: VMs come back as new ones and are started
             * @enum {string}
             */
            mode: "rehearse" | "run";
            /** @description The name of the plan; a run for real needs it */
            confirmName?: string;
            /**
             * @description No point taken after this instant
             * @default null
             * @example 1795246432000
             */
            untilMs?: number | null;
            /**
             * @description For real: VMs that come back although they run, or a standby of them does or is newer. Others refuse the run before anything is made
             * @default []
             */
            beside?: string[];
            /**
             * @description Rehearsals only: manual steps are skipped
             * @default false
             */
            withoutPeople?: boolean;
            /**
             * @description How long a rehearsal waits for a person before it ends and cleans up
             * @default 86400000
             */
            patienceMs?: number;
            /** @default  */
            reason?: string;
        };
        RecoveryAbort: {
            /** @enum {string} */
            end: "clean-up" | "hand-over";
            /** @default  */
            reason?: string;
        };
        RecoveryApproval: {
            /**
             * @description Key of the tier that waits
             * @example databases
             */
            tier: string;
            /**
             * @description Id of what it waits for, as it was seen
             * @example before-0
             */
            wait: string;
            /** @default  */
            reason?: string;
        };
        RecoveryChoice: {
            /**
             * @description Key of the tier that waits
             * @example databases
             */
            tier: string;
            /**
             * @description Id of what it waits for, as it was seen
             * @example before-0
             */
            wait: string;
            /** @default  */
            reason?: string;
            /**
             * @description retry: its VMs that are not back, anew; continue: without them; clean-up: end the run, remove all; hand-over: end it, keep what stands
             * @enum {string}
             */
            choice: "retry" | "continue" | "clean-up" | "hand-over";
        };
        Replications: {
            items: components["schemas"]["Replication"][];
        };
        Replication: {
            id: string;
            /**
             * @description Fixed at the first discovery
             * @example web-01
             */
            vmId: string;
            vmName: string;
            sourceHypervisorName: string;
            /** @example lab */
            hypervisorId: string;
            hypervisorName: string;
            /** @description Of the standby */
            name: string;
            /** @description Milliseconds */
            rpoMs: number;
            isPaused: boolean;
            /**
             * @description failed-over: the standby is the one that runs, and nothing follows it
             * @enum {string}
             */
            state: "seeding" | "following" | "failing-over" | "failed-over" | "failing-back";
            doing: ("cycle" | "failover" | "failback" | "test" | "remove" | "accept") | null;
            /** @description Of the run that acts on it, or that was the last to */
            runId: string | null;
            /**
             * @description Instant of the source that the standby holds
             * @example 1795246432000
             */
            headMs: number | null;
            /** @description How far it is behind; null: it is not meant to follow now */
            lagMs: number | null;
            /** @description Further behind than it may be */
            isLate: boolean;
            /** @description Length of its chain; the tenth is a new seed */
            links: number;
            /** @description Bytes */
            storedBytes: number;
            /** @description Milliseconds */
            cycleMs: number | null;
            /** @description Bytes */
            cycleBytes: number | null;
            /** @description Cycles that failed since the last whole one */
            failures: number;
            error: components["schemas"]["RunError"] | null;
            /** @description What became of the source at the last failover; unreachable: it may still run */
            fence: ("off" | "unreachable") | null;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            movedMs: number | null;
            /** @description How old the state was that took over */
            lostMs: number | null;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            testedMs: number | null;
            testOutcome: ("answered" | "silent" | "failed") | null;
            /** @description How it stands and what remains to be done, in a sentence */
            todo: string;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            createdMs: number;
        };
        NewReplication: {
            /**
             * @description Fixed at the first discovery
             * @example web-01
             */
            vmId: string;
            /**
             * @description Where the standby is: another than that of the VM
             * @example lab
             */
            hypervisorId: string;
            /** @description Of the standby; default: the name of the VM with -standby */
            name?: string;
            /**
             * @description How far the standby may be behind
             * @default 300000
             */
            rpoMs?: number;
        };
        ReplicationChange: {
            rpoMs?: number;
            /** @description No cycle begins by itself */
            isPaused?: boolean;
        };
        ReplicationCycle: {
            /**
             * @description Nothing builds on what the standby holds
             * @default false
             */
            full?: boolean;
            /** @default  */
            reason?: string;
            tuning?: components["schemas"]["Tuning"];
        };
        ReplicationMove: {
            /**
             * @description planned: the source is shut down, nothing is lost; unplanned: the last whole state is started at once, the source switched off if it can be reached; failback: the guest goes back; accept: the standby stays where it runs, nothing follows any more; remove: the standby goes with all its states
             * @enum {string}
             */
            move: "planned" | "unplanned" | "failback" | "accept" | "remove";
            /** @description The name of the VM */
            confirmName: string;
            /** @default  */
            reason?: string;
            tuning?: components["schemas"]["Tuning"];
        };
        StandbyTest: {
            /**
             * @description How long the copy is left running after its guest has answered
             * @default 0
             */
            holdMs?: number;
            /**
             * @description How long its guest may take to answer
             * @default 300000
             */
            limitMs?: number;
            /** @default  */
            reason?: string;
            tuning?: components["schemas"]["Tuning"];
        };
        ProtectionReport: {
            /** @enum {string} */
            period: "day" | "week" | "month";
            days: number;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            madeMs: number;
            /** @example 212 of 214 VMs inside their RPO */
            title: string;
            lead: string;
            vms: {
                total: number;
                by: {
                    failed: number;
                    overdue: number;
                    late: number;
                    unprotected: number;
                    protected: number;
                    excluded: number;
                };
            };
            promised: number;
            /** @description Whose last drill passed */
            proven: number;
            points: number;
            /** @description Bytes */
            newBytes: number;
            failedBackups: number;
            drillsPassed: number;
            drillsFailed: number;
            open: number;
            recovered: number;
            /** @description Points whose change was flagged and that nobody has looked at */
            suspicious: number;
            /** @description Most urgent first, 50 at most */
            outside: {
                /**
                 * @description Fixed at the first discovery
                 * @example web-01
                 */
                id: string;
                name: string;
                state: string;
                sentence: string;
            }[];
            outsideTotal: number;
            repositories: {
                /** @example main */
                id: string;
                name: string;
                /** @description Bytes */
                storedBytes: number | null;
                /** @description Bytes */
                freeBytes: number | null;
                /**
                 * @description Unix milliseconds, UTC
                 * @example 1795246432000
                 */
                fullMs: number | null;
            }[];
        };
        RepositoryPage: {
            items: components["schemas"]["Repository"][];
            nextCursor: string | null;
            total: number;
        };
        AddRepository: {
            name: string;
            /**
             * @description Site whose workers reach it
             * @default local
             * @example local
             */
            site?: string;
            location: components["schemas"]["RepositoryLocation"];
            credentialRef: string;
            /**
             * @description On what it lies: what is of one kind may fail together
             * @example object
             * @enum {string}
             */
            media?: "disk" | "share" | "object" | "removable";
            /**
             * @description Where that stands, as sites are called; null: at its site
             * @example local
             */
            standsAt?: string | null;
        };
        RepositoryDetail: components["schemas"]["Repository"] & {
            /** @description The 50 VMs that added most */
            consumption: {
                /**
                 * @description Fixed at the first discovery
                 * @example web-01
                 */
                vmId: string;
                vmName: string;
                points: number;
                /** @description Size of its newest point */
                logicalBytes: number;
                /** @description Bytes */
                readBytes: number;
                /** @description Added by its points */
                newBytes: number;
                /**
                 * @description Unix milliseconds, UTC
                 * @example 1795246432000
                 */
                newestPointMs: number;
                /** @description Share of its points that were read back or verified */
                verifiedShare: number;
            }[];
            /** @description Thirty days at most */
            growth: {
                day: string;
                /** @description Bytes */
                storedBytes: number;
            }[];
        };
        DescribeRepository: {
            /**
             * @description On what it lies: what is of one kind may fail together
             * @example object
             * @enum {string}
             */
            media?: "disk" | "share" | "object" | "removable";
            /**
             * @description Where that stands, as sites are called; null: at its site
             * @example local
             */
            standsAt?: string | null;
            /**
             * @description Whose workers reach it from now on; it goes on to stand where it stood unless that is said as well
             * @example local
             */
            site?: string;
            credentialRef?: string;
        };
        Collections: {
            items: components["schemas"]["Collection"][];
        };
        Collection: {
            runId: string;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            startedMs: number;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            endedMs: number;
            why: string;
            /** @enum {string} */
            outcome: "collected" | "nothing" | "stopped" | "dry-run";
            /** @description Points */
            roots: number;
            listed: {
                packs: number;
                /** @description Bytes */
                bytes: number;
            };
            live: {
                packs: number;
                /** @description Bytes */
                bytes: number;
            };
            condemned: {
                packs: number;
                /** @description Bytes */
                bytes: number;
            };
            reprieved: {
                packs: number;
                /** @description Bytes */
                bytes: number;
            };
            deleted: {
                packs: number;
                /** @description Bytes */
                bytes: number;
            };
            copied: {
                packs: number;
                /** @description Bytes */
                bytes: number;
            };
            waiting: {
                packs: number;
                /** @description Bytes */
                bytes: number;
            };
            young: {
                packs: number;
                /** @description Bytes */
                bytes: number;
            };
            unknown: {
                packs: number;
                /** @description Bytes */
                bytes: number;
            };
            notes: string[];
            /** @description Milliseconds */
            durationMs: number;
        };
        RetentionAudits: {
            items: components["schemas"]["RetentionAudit"][];
        };
        RetentionAudit: {
            /** @example main */
            repositoryId: string;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            ms: number;
            vms: number;
            /** @description Points that were checked: all that are there, or vanished */
            points: number;
            /** @description Points that the last sweep left, and that neither a rule nor a hold keeps */
            kept: number;
            /** @description Points that a rule keeps, nobody removed, and that are gone */
            vanished: number;
            /** @description 1: no sweep has come to its end for three days */
            overdue: number;
            /** @description When the last sweep was planned that came to its end */
            sweptMs: number | null;
            sentence: string;
            /** @description The first 500 */
            deviations: {
                /** @enum {string} */
                kind: "kept" | "vanished" | "overdue";
                /**
                 * @description Fixed at the first discovery
                 * @example web-01
                 */
                vmId: string | null;
                vmName: string | null;
                /**
                 * @description Recovery point, 32 hex digits
                 * @example 0192f3a67b1c4d2e8f90a1b2c3d4e5f6
                 */
                pointId: string | null;
                timeMs: number | null;
                policy: string | null;
                why: string;
            }[];
        };
        SetScrub: {
            level?: components["schemas"]["ScrubLevel"];
            /** @description A day; null: nothing by itself */
            budgetBytes: number | null;
        };
        SweepSettings: {
            /**
             * @description null: of all repositories that say nothing
             * @example main
             */
            repositoryId: string | null;
            /** @description What the next sweep runs with */
            holds: {
                /** @description How long what goes can still be looked at before it goes */
                graceMs: number;
                /**
                 * @description grace: the daily sweep goes on by itself after the grace time, once a person has approved one; required: a person approves each
                 * @enum {string}
                 */
                approval: "grace" | "required";
                /** @description How long a sweep waits for a person */
                approveWithinMs: number;
                /** @description Of a VM that would lose more of its points at once a person is asked first */
                maxShare: number;
            };
            own: components["schemas"]["SetSweepSettings"];
            /** @description Whether a person has approved a sweep of the repository: until then each daily one waits for that. false for all repositories */
            wasApproved: boolean;
        };
        SetSweepSettings: {
            /**
             * @description How long what goes can still be looked at before it goes
             * @default null
             */
            graceMs?: number | null;
            /**
             * @description grace: the daily sweep goes on by itself after the grace time, once a person has approved one; required: a person approves each
             * @default null
             * @enum {string|null}
             */
            approval?: "grace" | "required" | null;
            /**
             * @description How long a sweep waits for a person
             * @default null
             */
            approveWithinMs?: number | null;
            /**
             * @description Of a VM that would lose more of its points at once a person is asked first
             * @default null
             */
            maxShare?: number | null;
        };
        SweepRequest: {
            /**
             * @description plan: a dry run, stored and shown
             * @default sweep
             * @enum {string}
             */
            mode?: "plan" | "sweep";
            /**
             * @description grace: goes on by itself after the grace time; required: a person says so. What is not said here and below is as it is set for the repository
             * @enum {string}
             */
            approval?: "grace" | "required";
            graceMs?: number;
            approveWithinMs?: number;
            /** @description A VM that would lose more of its points at once is not touched before a person agrees */
            maxShare?: number;
            /**
             * @default auto
             * @enum {string}
             */
            collect?: "auto" | "always" | "never";
            /**
             * @description none: what is condemned is deleted at once; safe, and uneconomic
             * @default usual
             * @enum {string}
             */
            waits?: "usual" | "none";
            /** @default  */
            reason?: string;
            tuning?: components["schemas"]["Tuning"];
        };
        VerifyRequest: {
            level?: components["schemas"]["VerifyLevel"];
            /**
             * @description Notes in the repository what is proved damaged, so that the next backup stores it again
             * @default false
             */
            quarantine?: boolean;
            /** @description Levels data and full: bytes of packs to read at most, oldest last pass first */
            budgetBytes?: number;
            /** @default  */
            reason?: string;
            tuning?: components["schemas"]["Tuning"];
        };
        /**
         * @description quick: sizes, tables and every reference; data: every stored byte hashed as well; full: every chunk opened and hashed
         * @default quick
         * @enum {string}
         */
        VerifyLevel: "quick" | "data" | "full";
        RestoreRequest: {
            /**
             * @description Recovery point, 32 hex digits
             * @example 0192f3a67b1c4d2e8f90a1b2c3d4e5f6
             */
            pointId: string;
            /**
             * @description Which copy to read, also that of a mirror alone. Default: the one that the point names
             * @example main
             */
            repositoryId?: string;
            target: components["schemas"]["RestoreTarget"];
            /**
             * @description Only these disks of the point. In the original place the machine and its other disks stay as they are; a new VM has these alone, or with none its configuration. Default: all
             * @example [
             *       "virtio1"
             *     ]
             */
            disks?: string[];
            /**
             * @description MAC addresses and machine id
             * @default new
             * @enum {string}
             */
            identity?: "new" | "same";
            /** @description Default: a VM in its original place as it was before, a new one stays off */
            powerOn?: boolean;
            /** @default  */
            reason?: string;
            tuning?: components["schemas"]["Tuning"];
        };
        RestoreTarget: {
            /** @enum {string} */
            kind: "new";
            /** @example lab */
            hypervisorId: string;
            name: string;
        } | {
            /** @enum {string} */
            kind: "original";
            /** @description The name of the VM, typed by whoever asks */
            confirmName: string;
        };
        RestoreChecks: {
            findings: components["schemas"]["Finding"][];
            passed: {
                title: string;
                detail: string;
            }[];
            blocked: boolean;
            does: string[];
            doesNotTouch: string[];
            undo: string;
            command: string;
            /** @description From the last restores and drills of this VM; null without any */
            estimateSeconds: number | null;
        };
        RunPage: {
            items: components["schemas"]["Run"][];
            nextCursor: string | null;
            total: number;
        };
        Reason: {
            /** @default  */
            reason?: string;
        };
        HistoryPage: {
            items: components["schemas"]["HistoryEvent"][];
            nextCursor: string | null;
            total: number;
        };
        HistoryEvent: {
            eventId: number;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            ms: number;
            /** @example ActivityTaskScheduled */
            type: string;
            attributes?: unknown;
        };
        Retry: {
            /** @default  */
            reason?: string;
            /** @description For a restore in place: the name of the VM, typed by whoever asks */
            confirmName?: string;
        };
        Retried: {
            steps: string[];
        };
        RetryNow: {
            /** @description Step id; default: every step that waits for its next attempt */
            step?: string;
            /** @default  */
            reason?: string;
        };
        Runbook: {
            /** @enum {number} */
            v: 1;
            workflowId: string;
            runId: string;
            kind: components["schemas"]["RunKind"];
            title: string;
            sentence: string;
            state: components["schemas"]["RunState"];
            /** @enum {string|null} */
            verdict: "passed" | "failed" | "inconclusive" | null;
            startedMs: number;
            endedMs: number | null;
            resumedTimes: number;
            progress: components["schemas"]["Progress"] | null;
            phases: components["schemas"]["PhaseView"][];
            notes: components["schemas"]["OperatorNote"][];
            error: components["schemas"]["Error"] | null;
            residue: components["schemas"]["Residue"][];
            actions: components["schemas"]["NextAction"][];
            eventCount: number;
            facts: components["schemas"]["RunFacts"];
        };
        PhaseView: {
            /** @enum {string} */
            phase: "prepare" | "quiesce" | "copy" | "commit" | "verify" | "restore" | "boot" | "prove" | "backups" | "tiers" | "survey" | "approve" | "remove" | "collect" | "look" | "cleanup";
            title: string;
            state: components["schemas"]["StepState"];
            summary: string;
            startedMs: number | null;
            endedMs: number | null;
            steps: components["schemas"]["Step"][];
        };
        /** @enum {string} */
        StepState: "scheduled" | "waiting-for-worker" | "running" | "retrying" | "stalled" | "paused" | "waiting-for-approval" | "done" | "skipped" | "failed" | "compensating" | "compensated" | "cancelled" | "residue";
        Step: {
            id: string;
            title: string;
            detail: string | null;
            /** @enum {string} */
            phase: "prepare" | "quiesce" | "copy" | "commit" | "verify" | "restore" | "boot" | "prove" | "backups" | "tiers" | "survey" | "approve" | "remove" | "collect" | "look" | "cleanup";
            state: components["schemas"]["StepState"];
            startedMs: number | null;
            endedMs: number | null;
            attempt: number;
            maxAttempts: number | null;
            nextAttemptMs: number | null;
            worker: string | null;
            queue: string | null;
            progress: components["schemas"]["Progress"] | null;
            attempts: components["schemas"]["StepAttempt"][];
            error: components["schemas"]["Error"] | null;
            compensates: string | null;
            input?: unknown;
            result?: unknown;
            events: number[];
            actions: components["schemas"]["NextAction"][];
            quiet: boolean;
        };
        StepAttempt: {
            attempt: number;
            startedMs: number | null;
            endedMs: number | null;
            worker: string | null;
            error: components["schemas"]["Error"] | null;
            note: string | null;
        };
        Error: {
            code: string;
            message: string;
            hint: string;
            /** @enum {string} */
            retry: "transient" | "after" | "full" | "degrade" | "operator" | "never";
            docs: string;
            native?: {
                code: string;
                text: string;
            };
            retryAfter?: number;
            data?: {
                [key: string]: unknown;
            };
            causes: string[];
        };
        NextAction: {
            /** @enum {string} */
            id: "approve" | "step-done" | "choose" | "pause" | "resume" | "cancel" | "retry" | "retry-now" | "start-again" | "open-docs" | "start-worker" | "free-space" | "restore" | "drill";
            label: string;
            explanation: string;
            command: string | null;
            /** @enum {string} */
            who: "viewer" | "operator" | "restorer" | "admin";
            primary: boolean;
        };
        OperatorNote: {
            ms: number;
            what: string;
            who: string | null;
            reason: string | null;
        };
        RunFacts: {
            vmName: string | null;
            repositoryName: string | null;
            platform: string | null;
            driverEvidence: string | null;
            pollers: {
                [key: string]: {
                    count: number;
                    lastSeenMs: number | null;
                };
            };
            nowMs: number;
        };
        PlanRunVmPage: {
            items: components["schemas"]["PlanRunVm"][];
            nextCursor: string | null;
            total: number;
        };
        PlanRunVm: {
            /**
             * @description Fixed at the first discovery
             * @example web-01
             */
            vmId: string;
            vmName: string;
            /** @enum {string} */
            state: "waiting" | "running" | "completed" | "completed-with-residue" | "failed" | "cancelled" | "skipped";
            /** @description Backups of this VM in this run */
            attempts: number;
            /** @description Of its backup, the last one */
            runId: string | null;
            /** @description Why it failed or was skipped; empty if all went well */
            detail: string;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            endedMs: number | null;
        };
        PlanSchedules: components["schemas"]["PlanSchedulePage"] & {
            /**
             * @description When the engine was compared with the plans
             * @example 1795246432000
             */
            lookedMs: number | null;
            /** @description Why the last look failed */
            error: string | null;
            /** @description Of plans that the catalog has never known: the engine has a schedule for them, and starts them */
            unknown: string[];
        };
        PlanSchedule: {
            /** @example nightly-lyon */
            plan: string;
            /** @description Of the plan: send it back with a pause */
            revision: number;
            /** @example every day at 02:30 (Europe/Paris) */
            words: string;
            timeZone: string;
            paused: boolean;
            /** @description The next three starts by the clock; none of a paused one */
            next: {
                /**
                 * @description Unix milliseconds, UTC
                 * @example 1795246432000
                 */
                atMs: number;
                local: string;
                utc: string;
                note: string | null;
            }[];
            /** @description Its newest run */
            last: components["schemas"]["PlanLastRun"] | null;
            /** @description Starts of the last week that did not come, newest first */
            missed: components["schemas"]["MissedStart"][];
            engine: {
                /**
                 * @description What the engine has, by the last look. waiting: the plan was changed since; wrong: could not be put right; taken: somebody else’s has its name, so the plan does not start; none: the plan does not start by the clock; unknown: nobody has looked yet
                 * @enum {string}
                 */
                state: "as-wanted" | "waiting" | "wrong" | "taken" | "none" | "unknown";
                why: string | null;
                /** @description It had been changed or deleted in the engine, and was made again as the plan says */
                putRight: {
                    /** @enum {string} */
                    what: "changed" | "deleted";
                    /**
                     * @description Unix milliseconds, UTC
                     * @example 1795246432000
                     */
                    atMs: number;
                } | null;
            };
        };
        PlanSchedulePage: {
            items: components["schemas"]["PlanSchedule"][];
            nextCursor: string | null;
            total: number;
        };
        Session: {
            user: string;
            /** @enum {string} */
            role: "admin" | "worker";
            /** @description Of a worker’s token: the only site that it is for */
            site: string | null;
            /** @enum {string} */
            via: "token" | "session";
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            expiresMs: number | null;
            installation: {
                id: string;
                name: string;
            };
            version: string;
            /** @description Address of Temporal’s own pages, where they are switched on */
            engineUi: string | null;
        };
        NewSession: {
            token: string;
        };
        SiteSecret: {
            secret: string;
        };
        AskSiteSecret: {
            /** @description As a hypervisor or repository of the site names it */
            credentialRef: string;
        };
        SiteSettings: {
            proxy: components["schemas"]["SiteProxy"] | null;
        };
        SiteProxy: {
            /** @example http://proxy.lyon.example.org:3128 */
            url: string;
            /**
             * @description Hosts of stores that are not reached through it: as they are, or `.domain`
             * @default []
             */
            except?: string[];
        };
        Sites: {
            items: components["schemas"]["Site"][];
        };
        Site: {
            /**
             * @description Site whose workers reach it
             * @example local
             */
            name: string;
            description: string;
            /** @description Its workers may ask the server for secrets of its hypervisors and repositories */
            handsSecrets: boolean;
            /** @description Through which its workers reach object stores; null: as their environment says */
            proxy: components["schemas"]["SiteProxy"] | null;
            /** @description What its networks and storages are called at other sites; restores and replication there use it */
            maps: components["schemas"]["SiteMap"][];
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            createdMs: number;
            /**
             * @description `silent`: no worker is connected and it needs one. `idle`: it needs none. `unknown`: Temporal does not answer
             * @enum {string}
             */
            state: "ok" | "silent" | "idle" | "unknown";
            workers: components["schemas"]["SiteWorker"][];
            /**
             * @description When any worker was last seen there, as far as Temporal remembers
             * @example 1795246432000
             */
            lastSeenMs: number | null;
            hypervisors: number;
            repositories: number;
            /** @description Runs under way of its VMs or repositories */
            running: number;
            /** @description The last one */
            test: components["schemas"]["SiteTest"] | null;
        };
        SiteMap: {
            /**
             * @description Site whose workers reach it
             * @example local
             */
            to: string;
            networks: {
                from: string;
                to: string | null;
            }[];
            storages: {
                from: string;
                to: string;
            }[];
        };
        SiteWorker: {
            identity: string;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            lastSeenMs: number | null;
        };
        SiteTest: {
            /** @enum {string} */
            state: "ok" | "failed";
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            testedMs: number;
            /** @description Which of its workers was asked; null: none answered */
            worker: string | null;
            checks: components["schemas"]["SiteCheck"][];
            /** @description Why nothing was tried */
            error: components["schemas"]["RunError"] | null;
        };
        SiteCheck: {
            /** @enum {string} */
            kind: "server" | "hypervisor" | "repository";
            /** @description null: the server */
            id: string | null;
            name: string;
            /** @description Where it is, as the worker has it */
            place: string;
            /** @description Milliseconds until the answer; of a repository: of one small read. null: there was none */
            latencyMs: number | null;
            detail: string;
            error: components["schemas"]["RunError"] | null;
        };
        SiteDetail: components["schemas"]["Site"] & {
            members: {
                hypervisors: {
                    /** @example lab */
                    id: string;
                    name: string;
                    /** @enum {string} */
                    platform: "qemu" | "libvirt" | "proxmox" | "xcpng" | "vsphere" | "hyperv" | "ahv" | "azure" | "image";
                    place: string;
                    vms: number;
                }[];
                repositories: {
                    /** @example main */
                    id: string;
                    name: string;
                    place: string;
                    points: number;
                }[];
            };
            /** @description Under way, 50 at most */
            runs: components["schemas"]["Run"][];
            /** @description With which its workers come to the server, the newest first */
            tokens: components["schemas"]["SiteToken"][];
            /** @description Bandwidth limits that concern what it moves */
            links: components["schemas"]["Link"][];
        };
        SiteToken: {
            /** @example lyon-3f0a9c1b */
            id: string;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            createdMs: number;
            /**
             * @description null: never
             * @example 1795246432000
             */
            expiresMs: number | null;
        };
        PutSite: {
            description?: string;
            handsSecrets?: boolean;
            proxy?: components["schemas"]["SiteProxy"] | null;
        };
        PutSiteMap: {
            /**
             * @description null: not connected there. What is not named keeps its name
             * @default []
             */
            networks?: {
                from: string;
                to: string | null;
            }[];
            /**
             * @description `from` `*`: any that no other line names. Else the platform there chooses
             * @default []
             */
            storages?: {
                from: string;
                to: string;
            }[];
        };
        NewSiteToken: components["schemas"]["SiteToken"] & {
            /** @description Said once; only its hash is kept */
            token: string;
        };
        MakeSiteToken: {
            /**
             * @description null: it does not run out
             * @default null
             */
            days?: number | null;
        };
        Slots: {
            items: components["schemas"]["SlotResource"][];
        };
        SlotResource: {
            /** @example host/lab */
            resource: string;
            /** @enum {string} */
            kind: "host" | "datastore" | "repository" | "link";
            slots: number;
            isDefault: boolean;
            working: number;
            waiting: number;
            /** @description Working first, then in the order of their turn */
            runs: components["schemas"]["SlotHolder"][];
        };
        SlotHolder: {
            runId: string;
            workflowId: string;
            title: string;
            kind: string;
            /** @description 1 first … 5 last */
            priority: number;
            /**
             * @description `parked`: stands still outside its window
             * @enum {string}
             */
            state: "working" | "waiting" | "parked";
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            sinceMs: number;
        };
        SlotLimit: {
            /** @description null: the default again */
            slots: number | null;
        };
        SweepPage: {
            items: components["schemas"]["Sweep"][];
            nextCursor: string | null;
            total: number;
        };
        Sweep: {
            runId: string;
            workflowId: string;
            /** @example main */
            repositoryId: string;
            repositoryName: string;
            state: components["schemas"]["SweepState"];
            dryRun: boolean;
            /** @description Names exactly the points that are to go; an approval names it too */
            digest: string;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            plannedMs: number;
            maxShare: number;
            points: number;
            going: number;
            /** @description VMs with points */
            series: number;
            /** @description VMs that would lose more than their share */
            asking: number;
            /** @description VMs that no longer exist; their points keep ageing */
            orphans: number;
            policies: {
                name: string;
                rules: string;
            }[];
            /** @enum {string|null} */
            waitsFor: "approval" | "grace" | null;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            waitsUntilMs: number | null;
            /** @description true: nothing goes before a person has agreed. false: without an answer it goes on by itself, without the VMs that it asks for. null: of a sweep of before this was written down */
            approvalRequired: boolean | null;
            approval: {
                user: string;
                reason: string;
                /**
                 * @description Unix milliseconds, UTC
                 * @example 1795246432000
                 */
                ms: number;
            } | null;
            removed: number;
            refused: number;
            spared: number;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            endedMs: number | null;
        };
        /** @enum {string} */
        SweepState: "planned" | "waiting" | "removing" | "collecting" | "completed" | "declined" | "cancelled" | "failed";
        ApproveSweep: {
            digest: string;
            /** @default  */
            reason?: string;
        };
        SweepPointPage: {
            items: components["schemas"]["SweepPoint"][];
            nextCursor: string | null;
            total: number;
        };
        SweepPoint: {
            stem: string;
            /**
             * @description Recovery point, 32 hex digits
             * @example 0192f3a67b1c4d2e8f90a1b2c3d4e5f6
             */
            pointId: string;
            series: string;
            /**
             * @description Fixed at the first discovery
             * @example web-01
             */
            vmId: string | null;
            vmName: string;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            timeMs: number;
            origin: string;
            policy: string;
            /** @description Every rule that keeps it; empty: it goes */
            keptBy: string[];
            state: components["schemas"]["SweptState"];
            why: string | null;
        };
        /** @enum {string} */
        SweptState: "stays" | "going" | "removed" | "refused" | "spared";
        SweepSeriesPage: {
            items: components["schemas"]["SweepSeries"][];
            nextCursor: string | null;
            total: number;
        };
        SweepSeries: {
            series: string;
            /**
             * @description Fixed at the first discovery
             * @example web-01
             */
            vmId: string | null;
            vmName: string;
            policy: string;
            /** @enum {string|null} */
            orphan: "vm-gone" | "plan-gone" | "unknown-vm" | null;
            points: number;
            going: number;
            asks: boolean;
        };
        VerifyRunPage: {
            items: components["schemas"]["VerifyRun"][];
            nextCursor: string | null;
            total: number;
        };
        VerifyRun: {
            runId: string;
            workflowId: string;
            /** @example main */
            repositoryId: string;
            repositoryName: string;
            level: components["schemas"]["VerifyLevel"];
            quarantine: boolean;
            /** @description Bytes */
            budgetBytes: number | null;
            /** @enum {string} */
            state: "running" | "completed" | "failed" | "cancelled";
            /**
             * @description unreadable: nothing is proved damaged, and some or all of it could not be read; null while it runs, and if it was cancelled
             * @enum {string|null}
             */
            verdict: "sound" | "damaged" | "unreadable" | null;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            startedMs: number;
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            endedMs: number | null;
            points: number;
            packs: number;
            /** @description Of the packs: judged by an attempt that was cut off */
            packsResumed: number;
            /** @description By the last attempt */
            chunks: number;
            /** @description Read by the last attempt */
            bytes: number;
            /** @description Objects that are proved damaged or gone */
            damages: number;
            /** @description Objects that could not be read; nobody knows what they are */
            unreadable: number;
            quarantined: number;
            damagedPoints: number;
            unreadablePoints: number;
            /** @description Points that were damaged and are whole again */
            mendedPoints: number;
            /** @description What is no damage and should be known */
            notes: string[];
            notesLeft: number;
            error: components["schemas"]["RunError"] | null;
        };
        VerifyFindingPage: {
            items: components["schemas"]["VerifyFinding"][];
            nextCursor: string | null;
            total: number;
        };
        VerifyFinding: {
            object: string;
            pack: string | null;
            /** @description Level of the ladder that found it (repository format §12.1) */
            found: string;
            message: string;
            /** @description false: it could not be read */
            proved: boolean;
            /** @description Points, disks and the first byte ranges that need it and have no other home of it */
            affects: {
                stem: string;
                vm: string;
                disk: string | null;
                ranges: {
                    /** @description Bytes */
                    start: number;
                    /** @description Bytes */
                    end: number;
                }[];
            }[];
        };
        VmPage: {
            items: components["schemas"]["Vm"][];
            nextCursor: string | null;
            total: number;
        };
        Vm: {
            /**
             * @description Fixed at the first discovery
             * @example web-01
             */
            id: string;
            name: string;
            /** @example lab */
            hypervisorId: string;
            hypervisorName: string;
            /** @enum {string} */
            platform: "qemu" | "libvirt" | "proxmox" | "xcpng" | "vsphere" | "hyperv" | "ahv" | "azure" | "image";
            /**
             * @description Site whose workers reach it
             * @example local
             */
            site: string;
            /** @enum {string} */
            power: "running" | "stopped" | "paused" | "suspended" | "io-error" | "unknown";
            tags: string[];
            /** @description Bytes */
            sizeBytes: number;
            diskCount: number;
            /** @example critical */
            category: string;
            /** @description That take it now */
            plans: string[];
            posture: components["schemas"]["Posture"];
            newestPoint: components["schemas"]["Point"] | null;
            pointCount: number;
            /** @description Mean of incremental reads over the last seven days */
            changedPerDay: number | null;
            lastProof: components["schemas"]["Proof"] | null;
            running: components["schemas"]["Run"] | null;
            lastRun: components["schemas"]["Run"] | null;
            /** @description Short remarks: `1 disk left out`, `drill failed`, `gone` */
            flags: string[];
            /**
             * @description Last discovery that saw it
             * @example 1795246432000
             */
            seenMs: number;
            /**
             * @description Since when the hypervisor no longer lists it
             * @example 1795246432000
             */
            goneMs: number | null;
        };
        Posture: {
            state: components["schemas"]["PostureState"];
            /** @example The newest point is 3 h 55 min old, promise 24 h. */
            sentence: string;
            /** @description Milliseconds */
            ageMs: number | null;
            /** @description Milliseconds */
            rpoMs: number | null;
        };
        /** @enum {string} */
        PostureState: "protected" | "late" | "overdue" | "failed" | "unprotected" | "excluded";
        VmDetail: components["schemas"]["Vm"] & {
            disks: components["schemas"]["VmDisk"][];
            scope: string;
            /** @description The platform’s own id */
            externalId: string;
            /** @enum {string} */
            guestAgent: "running" | "absent" | "unknown";
            os: string | null;
            foreignSnapshots: number;
            owner: {
                installation: string;
                name: string;
                since: string;
                /** @description false: another installation protects it, and backups from here are refused */
                ours: boolean;
            } | null;
            findings: components["schemas"]["Finding"][];
            excludedReason: string | null;
            /**
             * @description null: until somebody takes it back
             * @example 1795246432000
             */
            excludedUntilMs: number | null;
            /**
             * @description Repository in which its newest point was made, else the only one
             * @example main
             */
            defaultRepositoryId: string | null;
            /** @description Why it may not come back although it is backed up on time, and what helps */
            weaknesses: {
                code: string;
                title: string;
                hint: string;
            }[];
            /** @description Effective policy and where each value comes from */
            policy: {
                setting: string;
                value: string;
                from: string;
            }[];
            override: components["schemas"]["VmOverride"];
            /** @description Of what somebody set for it (category, left out or not, drill checks, override): send it back with a change */
            revision: number;
            /** @description Of this VM alone; none: what its category asks */
            drillChecks: components["schemas"]["DrillCheck"][];
            /** @description What a drill of it does, and where each value comes from */
            drill: {
                checks: components["schemas"]["DrillCheck"][];
                /** @example category critical */
                checksFrom: string;
                /** @description How long the guest may take until its agent answers */
                bootTimeoutMs: number;
                bootTimeoutFrom: string;
            };
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            createdMs: number;
        };
        VmDisk: {
            key: string;
            label: string;
            /** @description Bytes */
            size: number;
            format: string;
            /** @enum {string} */
            role: "data" | "boot" | "efi" | "tpm";
            /** @description Why this disk is in no point */
            skip: string | null;
            /**
             * @description The storage that it lies on, as its slots are named; absent: the platform names none
             * @example nas-1-export-vms
             */
            datastore?: string;
        };
        VmOverride: {
            rpoMs?: number;
            rtoMs?: number;
            /** @enum {string} */
            quiesce?: "required" | "preferred" | "none";
            keep?: components["schemas"]["Keep"];
            drillEveryMs?: number;
            /** @description How long a guest may take in a drill until its agent answers */
            bootTimeoutMs?: number;
            fullEveryMs?: number;
            disks?: components["schemas"]["DiskSelection"];
        };
        VmPatch: {
            /** @example critical */
            category?: string;
            /** @description Set: left out on purpose. null: protected again */
            excludedReason?: string | null;
            /**
             * @description When a VM that is left out is protected again by itself; it goes with its reason: another reason without it has no end
             * @example 1795246432000
             */
            excludedUntilMs?: number | null;
            /** @description None: what its category asks */
            drillChecks?: components["schemas"]["DrillCheck"][];
            override?: components["schemas"]["VmOverride"] & unknown;
            /**
             * @description The revision that was seen; 0: there is none yet; null: whatever is there
             * @default null
             */
            revision?: number | null;
        };
        BackupRequest: {
            /**
             * @description Default: the first target of its plan, else where its newest point is, else the only one
             * @example main
             */
            repositoryId?: string;
            /**
             * @description Whose policy to follow. Default: the first plan that takes the VM; null: none
             * @example nightly-lyon
             */
            plan?: string | null;
            /**
             * @description Default by the plan, else auto
             * @enum {string}
             */
            mode?: "auto" | "full";
            /**
             * @default manual
             * @enum {string}
             */
            origin?: "manual" | "publish";
            /** @default null */
            name?: string | null;
            /** @default null */
            description?: string | null;
            /**
             * @description Default by the policy of the VM
             * @enum {string}
             */
            want?: "crash" | "filesystem" | "application";
            /**
             * @description Default by the policy of the VM
             * @enum {string}
             */
            onQuiesceFailure?: "degrade" | "fail";
            /** @description Default by the plan, else 1 */
            compressionLevel?: number;
            /**
             * @description Shut the VM down cleanly for the point, and start it again as soon as that is taken. One that is off stays off. Not taken from the plan
             * @default false
             */
            stopBefore?: boolean;
            /** @description Id or name of the installation whose mark on the VM, and in the repository, gives way. Any other one still refuses */
            takeOverFrom?: string;
            /** @default  */
            reason?: string;
            tuning?: components["schemas"]["Tuning"];
        };
        VmPreview: {
            problems: {
                path: string;
                message: string;
                hint: string | null;
            }[];
            /** @description Points of it that are kept as all is saved, and that the next sweep would let go */
            removals: components["schemas"]["PlanRemoval"][];
            /** @description Of what is set for it */
            revision: number;
        };
        VmPreviewRequest: {
            /**
             * @description Default: the one it has
             * @example critical
             */
            category?: string;
            override?: components["schemas"]["VmOverride"] & unknown;
        };
        Workers: {
            queues: components["schemas"]["Queue"][];
        };
        Queue: {
            /** @example holdfast.site.local */
            queue: string;
            /** @description null: the control queue */
            site: string | null;
            /**
             * @description silent: no worker is connected
             * @enum {string}
             */
            state: "ok" | "silent" | "unknown";
            /**
             * @description Unix milliseconds, UTC
             * @example 1795246432000
             */
            lastSeenMs: number | null;
            workers: {
                identity: string;
                /**
                 * @description Unix milliseconds, UTC
                 * @example 1795246432000
                 */
                lastSeenMs: number | null;
                /** @enum {string} */
                role: "workflow" | "activity";
            }[];
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    listAudit: {
        parameters: {
            query?: {
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
                /** @description Fixed at the first discovery */
                vmId?: string;
                /** @description Recovery point, 32 hex digits */
                pointId?: string;
                user?: string;
                /** @description read-file, read-archive, read-disk: taken out of a point; write-to-guest: out of a point into the guest that runs; rotate-key: another key signs proofs of drills */
                action?: "read-file" | "read-archive" | "read-disk" | "write-to-guest" | "rotate-key";
                sinceMs?: number | null;
                untilMs?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditPage"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    reportBandwidth: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BandwidthReport"];
            };
        };
        responses: {
            /** @description What this process may do of each limit */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BandwidthShares"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listCapacity: {
        parameters: {
            query?: {
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description By name */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CapacityPage"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getCapacity: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description With one sample a day */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CapacityDetail"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    simulateCapacity: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WhatIfRequest"];
            };
        };
        responses: {
            /** @description Month by month */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WhatIf"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getCatalogCopy: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                snap: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A SQLite file without tokens, sessions and secrets */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listCategories: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The shortest RPO first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CategoryList"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    previewCategory: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CategoryPreviewRequest"];
            };
        };
        responses: {
            /** @description What the next sweep would let go */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CategoryPreview"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    putCategory: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CategoryPut"];
            };
        };
        responses: {
            /** @description As it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Category"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    removeCategory: {
        parameters: {
            query?: {
                /** @description The one that was seen */
                revision?: number;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listChannels: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description By name */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChannelList"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    putChannel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChannelSpec"];
            };
        };
        responses: {
            /** @description As it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Channel"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    removeChannel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    testChannel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The service has taken it */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The hypervisor or repository refused or did not answer as expected */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listDeliveries: {
        parameters: {
            query?: {
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
                channel?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeliveryPage"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    runDoctor: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All checks, also those that failed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Doctor"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listDrills: {
        parameters: {
            query?: {
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
                /** @description Fixed at the first discovery */
                vmId?: string;
                /** @description Recovery point, 32 hex digits */
                pointId?: string;
                verdict?: "passed" | "failed" | "inconclusive";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DrillPage"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    startDrill: {
        parameters: {
            query?: never;
            header?: {
                /** @description Chosen by the caller; kept for 24 h. A repetition starts nothing twice. */
                "idempotency-key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DrillRequest"];
            };
        };
        responses: {
            /** @description Started */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listDrillAgenda: {
        parameters: {
            query?: {
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
                /** @description Fixed at the first discovery */
                vmId?: string;
                state?: "running" | "overdue" | "ready" | "coming";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Due first first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DrillAgenda"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getDrill: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The evidence */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DrillDetail"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    exportDrill: {
        parameters: {
            query?: {
                /** @description html: one page to read and print, with the signed data inside; json: these alone (DSSE) */
                format?: "html" | "json";
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A file to keep; nobody needs this installation to verify it */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                    "application/json": unknown;
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getDrillScreenshot: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description PNG */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/png": string;
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    verifyDrill: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was found */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DrillVerification"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    streamEvents: {
        parameters: {
            query?: never;
            header?: {
                "last-event-id"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The stream */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": components["schemas"]["StreamEvent"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listEvidenceKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The one of now first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EvidenceKeys"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    rotateEvidenceKey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The new one first; earlier ones stay known */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EvidenceKeys"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getEvidence: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sha256: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The bytes */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/png": string;
                    "text/plain": string;
                    "application/json": string;
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    putEvidence: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sha256: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Was there already */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Kept */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    exportList: {
        parameters: {
            query?: {
                format?: "csv" | "json";
                sinceMs?: number | null;
                untilMs?: number | null;
            };
            header?: never;
            path: {
                /** @description protection: every VM against its promise; usage: what each VM takes in each repository; retention: where what repositories keep was not what the policies say, audit by audit; capacity: what each repository took, day by day; audit: who took what out of points, a row for each path */
                kind: "runs" | "points" | "protection" | "usage" | "usage-months" | "retention" | "capacity" | "audit";
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Times in ISO 8601 and UTC, sizes in bytes */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/csv": string;
                    "application/json": {
                        items: {
                            [key: string]: unknown;
                        }[];
                    };
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    openFiles: {
        parameters: {
            query?: never;
            header?: {
                /** @description Chosen by the caller; kept for 24 h. A repetition starts nothing twice. */
                "idempotency-key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FilesRequest"];
            };
        };
        responses: {
            /** @description Started */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    downloadFiles: {
        parameters: {
            query: {
                volume: string;
                /** @description Files and folders; may be given several times */
                path: string[];
                /** @description tar: with owners and names of any bytes; zip: at most 50,000 members, no owners, %HH in names that are no text */
                format?: "tar" | "zip";
            };
            header?: never;
            path: {
                /** @description File session, 32 hex digits */
                session: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The archive */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-tar": string;
                    "application/zip": string;
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The hypervisor or repository refused or did not answer as expected */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No answer in time */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    downloadFile: {
        parameters: {
            query: {
                volume: string;
                /** @description From the root of the volume; a byte that is no text, and a backslash, is written as \xHH */
                path: string;
                start?: number | null;
                /** @description Byte behind the last; default: all */
                end?: number | null;
            };
            header?: never;
            path: {
                /** @description File session, 32 hex digits */
                session: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Its bytes; a failure in the middle cuts the answer off before its length */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The hypervisor or repository refused or did not answer as expected */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No answer in time */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    endFiles: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description File session, 32 hex digits */
                session: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FilesEnd"];
            };
        };
        responses: {
            /** @description It is closed */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listFiles: {
        parameters: {
            query: {
                volume: string;
                /** @description From the root of the volume; a byte that is no text, and a backslash, is written as \xHH */
                path?: string;
                from?: number | null;
                limit?: number;
            };
            header?: never;
            path: {
                /** @description File session, 32 hex digits */
                session: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Folders first, then by name */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FilePage"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The hypervisor or repository refused or did not answer as expected */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No answer in time */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getFile: {
        parameters: {
            query: {
                volume: string;
                /** @description From the root of the volume; a byte that is no text, and a backslash, is written as \xHH */
                path?: string;
            };
            header?: never;
            path: {
                /** @description File session, 32 hex digits */
                session: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A link is told as itself */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FileEntry"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The hypervisor or repository refused or did not answer as expected */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No answer in time */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    downloadDisk: {
        parameters: {
            query: {
                /** @description Key of the disk */
                disk: string;
                /** @description raw: every byte, holes as zeros; qcow2; vmdk: stream-optimised, compressed; vhdx and vhd: dynamic. vmdk and vhd hold 2,040 GiB at most */
                format?: "raw" | "qcow2" | "vmdk" | "vhdx" | "vhd";
            };
            header?: never;
            path: {
                /** @description File session, 32 hex digits */
                session: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The image */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The hypervisor or repository refused or did not answer as expected */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No answer in time */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    restoreFiles: {
        parameters: {
            query?: never;
            header?: {
                /** @description Chosen by the caller; kept for 24 h. A repetition starts nothing twice. */
                "idempotency-key"?: string;
            };
            path: {
                /** @description File session, 32 hex digits */
                session: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FilesToGuestRequest"];
            };
        };
        responses: {
            /** @description Started */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    searchFiles: {
        parameters: {
            query: {
                volume: string;
                /** @description From the root of the volume; a byte that is no text, and a backslash, is written as \xHH */
                path?: string;
                /** @description Part of the name, or a pattern with * and ? */
                q: string;
            };
            header?: never;
            path: {
                /** @description File session, 32 hex digits */
                session: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was found */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FileSearch"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The hypervisor or repository refused or did not answer as expected */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No answer in time */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listFileVolumes: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description File session, 32 hex digits */
                session: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Partitions, logical volumes and arrays */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FileVolumes"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The hypervisor or repository refused or did not answer as expected */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No answer in time */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getHealth: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It answers; `degraded` while Temporal does not */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
        };
    };
    listHypervisors: {
        parameters: {
            query?: {
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description By name */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HypervisorPage"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    addHypervisor: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AddHypervisor"];
            };
        };
        responses: {
            /** @description Connected */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Hypervisor"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getHypervisor: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description With its last probe */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Hypervisor"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    moveHypervisor: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MoveHypervisor"];
            };
        };
        responses: {
            /** @description As it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Hypervisor"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    discoverHypervisor: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was found */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Discovery"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No answer in time */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listLooseImages: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As they are now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LooseImages"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The hypervisor or repository refused or did not answer as expected */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No answer in time */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    importImages: {
        parameters: {
            query?: never;
            header?: {
                /** @description Chosen by the caller; kept for 24 h. A repetition starts nothing twice. */
                "idempotency-key"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ImportImages"];
            };
        };
        responses: {
            /** @description Started */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The hypervisor or repository refused or did not answer as expected */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No answer in time */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    testHypervisor: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What the worker saw, good or bad */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Probe"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No answer in time */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listIncidents: {
        parameters: {
            query?: {
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
                state?: "open" | "recovered";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Open ones first, then the newest */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IncidentPage"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listInstants: {
        parameters: {
            query?: {
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
                /** @description only: those that have not ended */
                open?: "only" | "all";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InstantPage"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    startInstant: {
        parameters: {
            query?: never;
            header?: {
                /** @description Chosen by the caller; kept for 24 h. A repetition starts nothing twice. */
                "idempotency-key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InstantRequest"];
            };
        };
        responses: {
            /** @description Started */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getInstant: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Run id of the instant restore */
                run: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description With its age, its I/O and what remains to be done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Instant"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    discardInstant: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Run id of the instant restore */
                run: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InstantDiscard"];
            };
        };
        responses: {
            /** @description It is removed */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    migrateInstant: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Run id of the instant restore */
                run: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InstantMigration"];
            };
        };
        responses: {
            /** @description It is copied */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listKeeping: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The data-availability table */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeepingList"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    setKeeping: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                kind: "audit" | "runs" | "usage" | "notifications" | "disk-usage" | "sweeps" | "removed-points" | "collections" | "retention-audits" | "verifications";
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetKeeping"];
            };
        };
        responses: {
            /** @description As it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Keeping"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listLinks: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every link that has a limit */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Links"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    putLink: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LinkLimits"];
            };
        };
        responses: {
            /** @description As it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Links"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listMirrors: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description By name; 200 at most */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Mirrors"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    mirrorPoints: {
        parameters: {
            query?: never;
            header?: {
                /** @description Chosen by the caller; kept for 24 h. A repetition starts nothing twice. */
                "idempotency-key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MirrorRequest"];
            };
        };
        responses: {
            /** @description Started, or under way */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    putShipment: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                source: string;
                target: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutShipment"];
            };
        };
        responses: {
            /** @description As it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Shipment"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    endShipment: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                source: string;
                target: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Ended */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getOverview: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As of now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Overview"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listOwnBackups: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every repository, by name */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OwnBackups"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listPlans: {
        parameters: {
            query?: {
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description By name */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlanPage"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    previewPlan: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PlanPreviewRequest"];
            };
        };
        responses: {
            /** @description Matches, next times, retention a year ahead */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlanPreview"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getPlan: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description With what matches it now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Plan"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    putPlan: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PlanPut"];
            };
        };
        responses: {
            /** @description As it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Plan"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    removePlan: {
        parameters: {
            query?: {
                /** @description The one that was seen */
                revision?: number;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    patchPlan: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PlanPatch"];
            };
        };
        responses: {
            /** @description As it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Plan"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    planFarewell: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Nothing is changed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlanFarewell"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    planLately: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description How long it took, what was read in full, what was less consistent */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlanLately"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    joinPlan: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PlanMembersRequest"];
            };
        };
        responses: {
            /** @description What became of each */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlanMembers"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    runPlan: {
        parameters: {
            query?: never;
            header?: {
                /** @description Chosen by the caller; kept for 24 h. A repetition starts nothing twice. */
                "idempotency-key"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PlanRunRequest"];
            };
        };
        responses: {
            /** @description Started */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listPoints: {
        parameters: {
            query?: {
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
                /** @description Fixed at the first discovery */
                vmId?: string;
                repositoryId?: string;
                proven?: "passed" | "failed" | "inconclusive" | "never";
                /** @description Only those whose change was flagged, and that nobody has called expected */
                suspicious?: "true";
                sinceMs?: number | null;
                untilMs?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PointPage"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getPoint: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Recovery point, 32 hex digits */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description With disks, verification and proof */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PointDetail"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    reviewChange: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Recovery point, 32 hex digits */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangeReviewRequest"];
            };
        };
        responses: {
            /** @description As it stands now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangeDetail"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    holdPoint: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Recovery point, 32 hex digits */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["HoldRequest"];
            };
        };
        responses: {
            /** @description Its holds */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Holds"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No answer in time */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    releasePoint: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Recovery point, 32 hex digits */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReleaseRequest"];
            };
        };
        responses: {
            /** @description Those that are left */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Holds"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No answer in time */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    removePoint: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Recovery point, 32 hex digits */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RemovePoint"];
            };
        };
        responses: {
            /** @description Removed; its data are freed by a later collection */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No answer in time */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    exportPolicy: {
        parameters: {
            query?: {
                /** @description Only this plan */
                plan?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description YAML */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        file: string;
                    };
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    applyPolicy: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PolicyFile"];
            };
        };
        responses: {
            /** @description What was changed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PolicyDifference"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    comparePolicy: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PolicyFile"];
            };
        };
        responses: {
            /** @description Nothing was changed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PolicyComparison"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listRecoveryPlans: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description By name */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecoveryPlans"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createRecoveryPlan: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RecoverySpec"];
            };
        };
        responses: {
            /** @description Made */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecoveryPlan"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    checkRecoveryPlan: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RecoverySpec"];
            };
        };
        responses: {
            /** @description Order and findings */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecoveryCheck"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getRecoveryPlan: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As it is */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecoveryPlan"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changeRecoveryPlan: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RecoveryPlanChange"];
            };
        };
        responses: {
            /** @description Changed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecoveryPlan"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    removeRecoveryPlan: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listRecoveryRuns: {
        parameters: {
            query?: {
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecoveryRuns"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    startRecoveryPlan: {
        parameters: {
            query?: never;
            header?: {
                /** @description Chosen by the caller; kept for 24 h. A repetition starts nothing twice. */
                "idempotency-key"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RecoveryStart"];
            };
        };
        responses: {
            /** @description Started */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getRecoveryRun: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                run: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Tier by tier */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecoveryRun"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    abortRecoveryRun: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                run: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RecoveryAbort"];
            };
        };
        responses: {
            /** @description It ends */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecoveryRun"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    approveRecoveryStep: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                run: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RecoveryApproval"];
            };
        };
        responses: {
            /** @description It goes on */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecoveryRun"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    chooseRecoveryTier: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                run: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RecoveryChoice"];
            };
        };
        responses: {
            /** @description So it is done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecoveryRun"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listReplications: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description By name of the VM */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Replications"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createReplication: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewReplication"];
            };
        };
        responses: {
            /** @description It is seeded */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Replication"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getReplication: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Of the pair; or its VM, if that has one standby */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As it stands now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Replication"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changeReplication: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Of the pair; or its VM, if that has one standby */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReplicationChange"];
            };
        };
        responses: {
            /** @description Changed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Replication"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    replicateNow: {
        parameters: {
            query?: never;
            header?: {
                /** @description Chosen by the caller; kept for 24 h. A repetition starts nothing twice. */
                "idempotency-key"?: string;
            };
            path: {
                /** @description Of the pair; or its VM, if that has one standby */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReplicationCycle"];
            };
        };
        responses: {
            /** @description Started */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    moveReplication: {
        parameters: {
            query?: never;
            header?: {
                /** @description Chosen by the caller; kept for 24 h. A repetition starts nothing twice. */
                "idempotency-key"?: string;
            };
            path: {
                /** @description Of the pair; or its VM, if that has one standby */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReplicationMove"];
            };
        };
        responses: {
            /** @description Started */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    testStandby: {
        parameters: {
            query?: never;
            header?: {
                /** @description Chosen by the caller; kept for 24 h. A repetition starts nothing twice. */
                "idempotency-key"?: string;
            };
            path: {
                /** @description Of the pair; or its VM, if that has one standby */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StandbyTest"];
            };
        };
        responses: {
            /** @description Started */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    reportProtection: {
        parameters: {
            query?: {
                period?: "day" | "week" | "month";
                format?: "json" | "html";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As data, or as a page to print; every VM by itself is in `/exports/protection` */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtectionReport"];
                    "text/html": string;
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listRepositories: {
        parameters: {
            query?: {
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description By name */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RepositoryPage"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    addRepository: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AddRepository"];
            };
        };
        responses: {
            /** @description Registered */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Repository"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getRepository: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description With consumption and growth */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RepositoryDetail"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    describeRepository: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DescribeRepository"];
            };
        };
        responses: {
            /** @description As it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Repository"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listCollections: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Newest first, 30 at most */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Collections"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    backUpCatalog: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Stored and read back */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OwnBackup"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The hypervisor or repository refused or did not answer as expected */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No answer in time */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listRetentionAudits: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Newest first, 30 at most */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RetentionAudits"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    auditRetention: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Written down as well */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RetentionAudit"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    setScrub: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetScrub"];
            };
        };
        responses: {
            /** @description As it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Scrub"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getRepositorySweepSettings: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What holds and what is set */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SweepSettings"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    setRepositorySweepSettings: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetSweepSettings"];
            };
        };
        responses: {
            /** @description As it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SweepSettings"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    startSweep: {
        parameters: {
            query?: never;
            header?: {
                /** @description Chosen by the caller; kept for 24 h. A repetition starts nothing twice. */
                "idempotency-key"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SweepRequest"];
            };
        };
        responses: {
            /** @description Started */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    testRepository: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What the worker saw, good or bad */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RepositoryTest"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No answer in time */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    verifyRepository: {
        parameters: {
            query?: never;
            header?: {
                /** @description Chosen by the caller; kept for 24 h. A repetition starts nothing twice. */
                "idempotency-key"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["VerifyRequest"];
            };
        };
        responses: {
            /** @description Started */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    startRestore: {
        parameters: {
            query?: never;
            header?: {
                /** @description Chosen by the caller; kept for 24 h. A repetition starts nothing twice. */
                "idempotency-key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RestoreRequest"];
            };
        };
        responses: {
            /** @description Started */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    checkRestore: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RestoreRequest"];
            };
        };
        responses: {
            /** @description Findings, also blocking ones */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RestoreChecks"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No answer in time */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listRuns: {
        parameters: {
            query?: {
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
                kind?: components["schemas"]["RunKind"];
                /** @description `open`: not ended. `closed`: ended. `failed` includes terminated. */
                state?: "open" | "closed" | "failed" | "running" | "paused" | "waiting" | "completed" | "completed-with-residue" | "cancelled" | "terminated";
                /** @description Fixed at the first discovery */
                vmId?: string;
                repositoryId?: string;
                /** @description All runs of one workflow id, newest first */
                workflowId?: string;
                /** @description Runs of this plan */
                plan?: string;
                /** @description Of VMs or repositories of this site */
                site?: string;
                sinceMs?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Open ones first, then newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunPage"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getRun: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Run id, or a workflow id with its slashes encoded (its latest run) */
                run: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As last seen */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Run"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancelRun: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Run id, or a workflow id with its slashes encoded (its latest run) */
                run: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Reason"];
            };
        };
        responses: {
            /** @description It is undoing its steps */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listRunEvents: {
        parameters: {
            query?: {
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
            };
            header?: never;
            path: {
                /** @description Run id, or a workflow id with its slashes encoded (its latest run) */
                run: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Oldest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HistoryPage"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    pauseRun: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Run id, or a workflow id with its slashes encoded (its latest run) */
                run: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Reason"];
            };
        };
        responses: {
            /** @description It pauses */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    resumeRun: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Run id, or a workflow id with its slashes encoded (its latest run) */
                run: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Reason"];
            };
        };
        responses: {
            /** @description It goes on */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    retryRun: {
        parameters: {
            query?: never;
            header?: {
                /** @description Chosen by the caller; kept for 24 h. A repetition starts nothing twice. */
                "idempotency-key"?: string;
            };
            path: {
                /** @description Run id, or a workflow id with its slashes encoded (its latest run) */
                run: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Retry"];
            };
        };
        responses: {
            /** @description The new run */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    retryRunNow: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Run id, or a workflow id with its slashes encoded (its latest run) */
                run: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RetryNow"];
            };
        };
        responses: {
            /** @description The steps that try again now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Retried"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getRunbook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Run id, or a workflow id with its slashes encoded (its latest run) */
                run: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Live, or from the archive */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Runbook"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listPlanRunVms: {
        parameters: {
            query?: {
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
            };
            header?: never;
            path: {
                /** @description Run id, or a workflow id with its slashes encoded (its latest run) */
                run: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description In the order in which they are taken */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlanRunVmPage"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listSchedules: {
        parameters: {
            query?: {
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description By name of the plan */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlanSchedules"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getSession: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description This session */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createSession: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewSession"];
            };
        };
        responses: {
            /** @description Logged in; the cookie is HttpOnly and SameSite=Strict */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many wrong tokens; `Retry-After` says how long to wait */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteSession: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The session has ended */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    askSiteSecret: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AskSiteSecret"];
            };
        };
        responses: {
            /** @description For this worker */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SiteSecret"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getSiteSettings: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Site whose workers reach it */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As of now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SiteSettings"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listSites: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description By name, 200 at most */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Sites"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getSite: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Site whose workers reach it */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As of now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SiteDetail"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    putSite: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Site whose workers reach it */
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutSite"];
            };
        };
        responses: {
            /** @description As it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Site"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    removeSite: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Site whose workers reach it */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    putSiteMap: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Site whose workers reach it */
                name: string;
                /** @description Site whose workers reach it */
                to: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutSiteMap"];
            };
        };
        responses: {
            /** @description As it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Site"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    testSite: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Site whose workers reach it */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What it reached, and what not */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SiteTest"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No answer in time */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    makeSiteToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Site whose workers reach it */
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MakeSiteToken"];
            };
        };
        responses: {
            /** @description Made */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewSiteToken"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    revokeSiteToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Site whose workers reach it */
                name: string;
                token: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Revoked */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listSlots: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every resource that is in use or has a limit of its own */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Slots"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    setSlots: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                kind: "host" | "datastore" | "repository" | "link";
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SlotLimit"];
            };
        };
        responses: {
            /** @description As it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Slots"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getSweepSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What holds and what is set */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SweepSettings"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    setSweepSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetSweepSettings"];
            };
        };
        responses: {
            /** @description As it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SweepSettings"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listSweeps: {
        parameters: {
            query?: {
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
                repositoryId?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SweepPage"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getSweep: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Run id of the sweep */
                run: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Its plan in numbers, and what came of it */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Sweep"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    approveSweep: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Run id of the sweep */
                run: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ApproveSweep"];
            };
        };
        responses: {
            /** @description It goes on */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No answer in time */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    auditSweep: {
        parameters: {
            query?: {
                format?: "csv" | "json";
            };
            header?: never;
            path: {
                /** @description Run id of the sweep */
                run: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As CSV, or as JSON with one object for each point */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/csv": string;
                    "application/json": {
                        items: {
                            [key: string]: unknown;
                        }[];
                    };
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listSweepPoints: {
        parameters: {
            query?: {
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
                series?: string;
                state?: components["schemas"]["SweptState"];
            };
            header?: never;
            path: {
                /** @description Run id of the sweep */
                run: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description By VM, newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SweepPointPage"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listSweepSeries: {
        parameters: {
            query?: {
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
                /** @description only: VMs that no longer exist */
                orphans?: "only";
            };
            header?: never;
            path: {
                /** @description Run id of the sweep */
                run: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Those that lose most first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SweepSeriesPage"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVerifyLedger: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description 40 bytes each, sorted: name, L3 and L4 as u32 in Unix seconds */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    addToVerifyLedger: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/octet-stream": string;
            };
        };
        responses: {
            /** @description Kept */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listVerifyRuns: {
        parameters: {
            query?: {
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
                repositoryId?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VerifyRunPage"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVerifyRun: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Run id of the verify */
                run: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description With its verdict */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VerifyRun"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listVerifyFindings: {
        parameters: {
            query?: {
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
            };
            header?: never;
            path: {
                /** @description Run id of the verify */
                run: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What is proved comes first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VerifyFindingPage"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listVms: {
        parameters: {
            query?: {
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
                /** @description Part of the name or a tag */
                q?: string;
                tag?: string;
                state?: "protected" | "late" | "overdue" | "failed" | "unprotected" | "excluded" | "outside-rpo" | "running";
                hypervisorId?: string;
                /** @description Site whose workers reach it */
                site?: string;
                gone?: "hide" | "show";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Most urgent first, then by name */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VmPage"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVm: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Fixed at the first discovery */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description With posture, disks and effective policy */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VmDetail"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changeVm: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Fixed at the first discovery */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["VmPatch"];
            };
        };
        responses: {
            /** @description As it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VmDetail"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    startBackup: {
        parameters: {
            query?: never;
            header?: {
                /** @description Chosen by the caller; kept for 24 h. A repetition starts nothing twice. */
                "idempotency-key"?: string;
            };
            path: {
                /** @description Fixed at the first discovery */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BackupRequest"];
            };
        };
        responses: {
            /** @description Started */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this token, or asked by a foreign page */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description In conflict with what is running or exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Understood, but it cannot be done as asked */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listVmPoints: {
        parameters: {
            query?: {
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
            };
            header?: never;
            path: {
                /** @description Fixed at the first discovery */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PointPage"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    previewVm: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Fixed at the first discovery */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["VmPreviewRequest"];
            };
        };
        responses: {
            /** @description What the next sweep would let go */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VmPreview"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listVmRuns: {
        parameters: {
            query?: {
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
            };
            header?: never;
            path: {
                /** @description Fixed at the first discovery */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunPage"];
                };
            };
            /** @description The request is not understood */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listWorkers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every queue that the configuration needs */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Workers"];
                };
            };
            /** @description No valid token or session */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporal or the workers of the site are not there */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
