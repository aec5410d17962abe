import { canonicalName } from "./canonical-name.js";

/**
 * Distributions (in canonical names) by the modules that they install, where the one cannot be told from the other:
 * `distribution: module module…`. A module may be dotted; the longest that begins an import decides.
 */
const DISTRIBUTIONS = `
absl-py: absl
adafruit-blinka: board busio digitalio analogio
adafruit-circuitpython-busdevice: adafruit_bus_device
adafruit-circuitpython-dht: adafruit_dht
airtable-python-wrapper: airtable
aliyun-python-sdk-core: aliyunsdkcore
alpaca-py: alpaca
ansible-core: ansible
antlr4-python3-runtime: antlr4
antlr4-tools: antlr4_tool_runner
antspyx: ants
apache-airflow: airflow
apache-flink: pyflink
apache-superset: superset
appengine-python-standard: google.appengine
argon2-cffi: argon2
atlassian-python-api: atlassian
attrs: attr
aws-cdk-lib: aws_cdk
aws-sam-translator: samtranslator
azureml-core: azureml.core
baidu-aip: aip
bayesian-optimization: bayes_opt
bce-python-sdk: baidubce
beautifulsoup4: bs4
biopython: Bio
black: blackd blib2to3
cadquery-ocp: OCP
camelot-py: camelot
can-isotp: isotp
cassandra-driver: cassandra
cattrs: cattr
cffi: _cffi_backend
cfn-lint: cfnlint
cloud-sql-python-connector: google.cloud.sql
configobj: validate
cos-python-sdk-v5: qcloud_cos
cython: pyximport
databricks-sdk: databricks.sdk
databricks-sql-connector: databricks.sql
dbus-python: dbus _dbus_bindings _dbus_glib_bindings
delegator-py: delegator
delta-spark: delta
discord-py: discord
django-allauth: allauth
django-ckeditor: ckeditor
django-compressor: compressor
django-cors-headers: corsheaders
django-crispy-forms: crispy_forms
django-debug-toolbar: debug_toolbar
django-environ: environ
django-filter: django_filters
django-guardian: guardian
django-import-export: import_export
django-model-utils: model_utils
django-mptt: mptt
django-oauth-toolkit: oauth2_provider
django-rest-swagger: rest_framework_swagger
django-silk: silk
django-storages: storages
django-taggit: taggit
djangorestframework: rest_framework
djangorestframework-simplejwt: rest_framework_simplejwt
dnspython: dns
docker-compose: compose
docx-mailmerge: mailmerge
dogpile-cache: dogpile
dtw-python: dtw
earthengine-api: ee
eciespy: ecies
elastic-apm: elasticapm
emd-signal: PyEMD
eth-brownie: brownie
facebook-sdk: facebook
factory-boy: factory
faiss-cpu: faiss
faust-streaming: faust
ffmpeg-python: ffmpeg
firebird-driver: firebird
fpdf2: fpdf
gdal: osgeo ogr osr
gevent-websocket: geventwebsocket
github3-py: github3
gitpython: git
google-ai-generativelanguage: google.ai.generativelanguage
google-analytics-data: google.analytics.data google.analytics.data_v1beta
google-api-core: google.api_core
google-api-python-client: googleapiclient apiclient
google-auth: google.auth google.oauth2
google-cloud-aiplatform: vertexai
google-cloud-secret-manager: google.cloud.secretmanager google.cloud.secretmanager_v1
google-genai: google.genai
google-generativeai: google.generativeai
google-resumable-media: google.resumable_media
google-search-results: serpapi
googleapis-common-protos: google.api google.rpc google.type google.longrunning
googlesearch-python: googlesearch
graphql-core: graphql
grpcio: grpc
grpcio-health-checking: grpc_health
grpcio-reflection: grpc_reflection
grpcio-status: grpc_status
grpcio-tools: grpc_tools
haystack-ai: haystack
hidapi: hid
hydra-core: hydra
ibm-cos-sdk: ibm_boto3
ibm-db: ibm_db_dbi
imbalanced-learn: imblearn
impyla: impala
jpype1: jpype
json-rpc: jsonrpc
jsonref: proxytypes
jsonrpclib-pelix: jsonrpclib
junos-eznc: jnpr
kafka-python: kafka
keystone-engine: keystone
labjack-ljm: labjack
libsass: sass
libusb1: usb1
libvirt-python: libvirt
lightning-bolts: pl_bolts
line-bot-sdk: linebot
llama-cpp-python: llama_cpp
llama-index-core: llama_index.core
markdown-it-py: markdown_it
mastodon-py: mastodon
matplotlib: mpl_toolkits pylab
mecab-python3: MeCab
mypy: mypyc
mysql-connector-python: mysql.connector mysqlx
mysqlclient: MySQLdb _mysql
nats-py: nats
newspaper3k: newspaper
nfcpy: nfc
numpy-stl: stl
nvidia-ml-py: pynvml
odfpy: odf
office365-rest-python-client: office365
openai-clip: clip
openai-whisper: whisper
opencv-python: cv2
openmm: simtk
opensearch-py: opensearchpy
openstacksdk: openstack
opentelemetry-api: opentelemetry
opentelemetry-exporter-otlp: opentelemetry.exporter.otlp
opentelemetry-sdk: opentelemetry.sdk
opentelemetry-semantic-conventions: opentelemetry.semconv
paddlepaddle: paddle
paho-mqtt: paho
parallel-ssh: pssh
pdfminer-six: pdfminer
peewee: playhouse
pep8-naming: pep8ext_naming
pillow: PIL
platypus-opt: platypus
plotly: _plotly_utils
progressbar2: progressbar
protobuf: google.protobuf google._upb
psycopg2-binary: psycopg2
pushbullet-py: pushbullet
pwntools: pwn pwnlib
py-cpuinfo: cpuinfo
py-key-value-aio: key_value
py-solc-x: solcx
py-tlsh: tlsh
py-trello: trello
pyautogen: autogen
pybluez: bluetooth
pycairo: cairo
pycryptodome: Crypto
pycryptodomex: Cryptodome
pycups: cups
pycurl: curl
pyelftools: elftools
pyenchant: enchant
pyerfa: erfa
pygithub: github
pygobject: gi pygtkcompat
pyhamcrest: hamcrest
pyhive: TCLIService
pyicu: icu
pyinstaller: pyi_splash
pyjks: jks
pyjwt: jwt
pykerberos: kerberos
pymongo: bson gridfs
pymssql: _mssql
pymupdf: fitz
pynacl: nacl
pyobjc-core: objc
pyobjc-framework-cocoa: AppKit Foundation Cocoa CoreFoundation
pyobjc-framework-quartz: Quartz
pyopengl: OpenGL
pyopenssl: OpenSSL
pyro-ppl: pyro
pyrsistent: pvectorc
pysaml2: saml2
pyscard: smartcard
pyserial: serial
pysha3: sha3
pyshp: shapefile
pyside2: shiboken2
pyside6: shiboken6
pysimdjson: simdjson
pysmb: smb nmb
pysocks: socks sockshandler
pystan: stan
pystemmer: Stemmer
pytelegrambotapi: telebot
pytest: _pytest
python-alipay-sdk: alipay
python-amazon-paapi: amazon_paapi
python-arango: arango
python-barcode: barcode
python-benedict: benedict
python-bidi: bidi
python-binance: binance
python-box: box
python-can: can
python-cinderclient: cinderclient
python-constraint: constraint
python-consul: consul
python-crontab: crontab
python-daemon: daemon
python-dateutil: dateutil
python-debian: debian
python-decouple: decouple
python-digitalocean: digitalocean
python-docx: docx
python-dotenv: dotenv
python-engineio: engineio
python-etcd: etcd
python-frontmatter: frontmatter
python-gflags: gflags
python-gitlab: gitlab
python-glanceclient: glanceclient
python-gnupg: gnupg
python-heatclient: heatclient
python-hglib: hglib
python-ironicclient: ironicclient
python-jenkins: jenkins
python-jose: jose
python-json-logger: pythonjsonlogger
python-kasa: kasa
python-keystoneclient: keystoneclient
python-language-server: pyls
python-ldap: ldap ldif ldapurl
python-linkedin: linkedin
python-louvain: community
python-lsp-server: pylsp
python-lzo: lzo
python-magic: magic
python-memcached: memcache
python-miio: miio
python-mpd2: mpd
python-multipart: multipart
python-neutronclient: neutronclient
python-nmap: nmap
python-nomad: nomad
python-novaclient: novaclient
python-okx: okx
python-openstackclient: openstackclient
python-osc: pythonosc
python-pam: pam
python-pptx: pptx
python-pushover: pushover
python-rapidjson: rapidjson
python-redis-lock: redis_lock
python-rtmidi: rtmidi
python-sane: sane
python-slugify: slugify
python-snap7: snap7
python-snappy: snappy
python-socketio: socketio
python-statemachine: statemachine
python-swiftclient: swiftclient
python-tds: pytds
python-telegram-bot: telegram
python-twitter: twitter
python-ulid: ulid
python-usbtmc: usbtmc
python-vagrant: vagrant
python-vlc: vlc
python-vxi11: vxi11
python-whois: whois
python-xlib: Xlib
python3-openid: openid
python3-saml: onelogin
pythonnet: clr
pythonocc-core: OCC
pyusb: usb
pyvisa: visa
pyvmomi: pyVim vmware
pywavelets: pywt
pywin32: win32api win32con win32gui win32com win32event win32file win32process win32service win32serviceutil
pywin32: win32security win32print win32pipe win32clipboard win32crypt pythoncom pywintypes servicemanager winerror
pywin32: win32ui win32net win32job
pywinrm: winrm
pyxdg: xdg
pyyaml: yaml _yaml
pyyaml-env-tag: yaml_env_tag
pyzmq: zmq
readability-lxml: readability
redis-py-cluster: rediscluster
robotframework: robot
rpds-py: rpds
rpi-gpio: RPi
ruamel-yaml: ruamel.yaml
scikit-bio: skbio
scikit-build: skbuild
scikit-fda: skfda
scikit-fuzzy: skfuzzy
scikit-gstat: skgstat
scikit-image: skimage
scikit-learn: sklearn
scikit-lego: sklego
scikit-misc: skmisc
scikit-mobility: skmob
scikit-multiflow: skmultiflow
scikit-optimize: skopt
scikit-plot: scikitplot
scikit-rf: skrf
scikit-sparse: sksparse
scikit-surprise: surprise
scikit-survival: sksurv
scikit-video: skvideo
scitools-iris: iris
setuptools: pkg_resources _distutils_hack
shopifyapi: shopify
sip: sipbuild
skia-python: skia
slackclient: slack
smbprotocol: smbclient
snowflake-connector-python: snowflake.connector
snowflake-snowpark-python: snowflake.snowpark
snowflake-sqlalchemy: snowflake.sqlalchemy
social-auth-app-django: social_django
social-auth-core: social_core
sorl-thumbnail: sorl
speechrecognition: speech_recognition
sseclient-py: sseclient
stomp-py: stomp
strawberry-graphql: strawberry
streamlit-aggrid: st_aggrid
suds-community: suds
sympy: isympy
ta-lib: talib
tabula-py: tabula
tavily-python: tavily
taxii2-client: taxii2client
tencentcloud-sdk-python: tencentcloud
tensorflow: tensorflow_core
torch: functorch torchgen
tortoise-orm: tortoise
u-msgpack-python: umsgpack
umap-learn: umap
vt-py: vt
vtk: vtkmodules
weaviate-client: weaviate
web-py: web
websocket-client: websocket
wikipedia-api: wikipediaapi
wrf-python: wrf
wxpython: wx
yara-python: yara
z3-solver: z3
`;

/** Packages that many distributions share, and how many parts of a module's name tell which one it is. */
const NAMESPACES: Readonly<Record<string, number>> = {
  "airflow.providers": 3,
  azure: 2,
  "azure.ai": 3,
  "azure.cognitiveservices": 4,
  "azure.data": 3,
  "azure.keyvault": 3,
  "azure.mgmt": 3,
  "azure.monitor": 3,
  "azure.search": 3,
  "azure.storage": 3,
  backports: 2,
  "google.cloud": 3,
  jaraco: 2,
  "llama_index.embeddings": 3,
  "llama_index.llms": 3,
  "llama_index.readers": 3,
  "llama_index.vector_stores": 3,
  "opentelemetry.exporter": 3,
  "opentelemetry.instrumentation": 3,
  sphinxcontrib: 2,
  zope: 2,
};

/** Parts of the longest names among these modules. */
const DEEPEST = 3;

/** Distributions of a namespace are named after the module, with this in front. */
const PREFIXES: Readonly<Record<string, string>> = { "airflow.providers": "apache-" };

const byModule: ReadonlyMap<string, string> = new Map(
  DISTRIBUTIONS.trim()
    .split("\n")
    .flatMap((line) => {
      const [distribution, modules] = line.split(": ");
      return modules!.split(" ").map((module) => [module, distribution!] as const);
    }),
);

/**
 * The distribution that installs a module, as far as names tell: from the table, by the rule of its namespace package, else
 * of the same name. `null` where the name alone does not say, as for `google` and for names that begin with `_`.
 *
 * @param module - dotted, such as `google.cloud.storage`
 */
export function distributionOf(module: string): string | null {
  const parts = module.split(".");
  for (let length = Math.min(parts.length, DEEPEST); length > 0; length--) {
    const prefix = parts.slice(0, length).join(".");
    const known = byModule.get(prefix);
    if (known !== undefined) return known;
    const depth = Object.hasOwn(NAMESPACES, prefix) ? NAMESPACES[prefix]! : undefined;
    if (depth === undefined) continue;
    if (parts.length < depth) return null;
    const name = parts
      .slice(0, depth)
      .join("-")
      .replace(/_v\d+\w*$/, "");
    return canonicalName((PREFIXES[prefix] ?? "") + name);
  }
  const [top] = parts;
  return top === undefined || top === "google" || top.startsWith("_") ? null : canonicalName(top);
}

/** Whether a module is only a place for others, so that what is imported from it tells the distribution. */
export function isNamespace(module: string): boolean {
  return Object.hasOwn(NAMESPACES, module) || module === "google";
}
